//! The one executor of the system's changes. Everything is read and written through the door into the
//! deployed system; units are enabled by what their files say there.

use std::cell::RefCell;

use super::run::Run;
use crate::error::{Context, Error, Result, Stage};
use crate::host::root::Root;
use crate::image::{UnitFacts, UnitInstall};
use crate::plan::Step;
use crate::system::text::{set_key, set_lines};
use crate::system::{Change, units};

/// Makes the change.
pub fn carry_out(run: &mut Run<'_>, step: &Step, change: &Change) -> Result<()> {
    let system = run.system()?;
    match change {
        Change::Write { path, content, private } => {
            let mode = if *private { 0o600 } else { 0o644 };
            let secrets = run.plan.secrets.iter();
            let content = secrets.fold(content.clone(), |text, (name, secret)| text.replace(name, secret.expose()));
            system.write(path, content.as_bytes(), mode, None).doing(Stage::System, format_args!("writing {path}"))
        }
        Change::Set { path, key, value, expected } => match read(system.as_ref(), path)? {
            Some(old) => rewrite(system.as_ref(), path, &set_key(&old, key, value)),
            None if *expected => {
                run.warn(format!("{key}={value} was not set: the image has no {path}"));
                Ok(())
            }
            None => Ok(()),
        },
        Change::Lines { path, without, with } => {
            let old = read(system.as_ref(), path)?.ok_or_else(|| lacks(path))?;
            rewrite(system.as_ref(), path, &set_lines(&old, without, with))
        }
        Change::Link { path, target, needs } => {
            if let Some(needs) = needs.as_ref().filter(|needs| !system.exists(needs)) {
                run.warn(format!("{path} was not changed: the image has no {needs}"));
                return Ok(());
            }
            link(system.as_ref(), path, target)
        }
        Change::Enable { unit } => enable(system.as_ref(), unit),
        Change::Disable { unit } => disable(system.as_ref(), unit),
        Change::Run { program, .. } => {
            if !system.exists(program) {
                return Err(lacks(program));
            }
            step.commands(&run.names).iter().try_for_each(|command| run.run(Stage::System, command))
        }
    }
}

fn lacks(what: &str) -> Error {
    Error::failed(Stage::System, format!("the image has no {what}")).hint("add it to the image, or leave the line out")
}

fn read(system: &dyn Root, path: &str) -> Result<Option<String>> {
    system.read(path).doing(Stage::System, format_args!("reading {path}"))
}

fn rewrite(system: &dyn Root, path: &str, text: &str) -> Result<()> {
    system.write(path, text.as_bytes(), 0o644, None).doing(Stage::System, format_args!("writing {path}"))
}

fn link(system: &dyn Root, path: &str, target: &str) -> Result<()> {
    let doing = format!("making the link {path}");
    let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
    system.create_dirs(parent).doing(Stage::System, &doing)?;
    system.symlink(path, target).doing(Stage::System, doing)
}

/// The directory of a unit's file, the admin's before the vendor's.
fn place(system: &dyn Root, file: &str) -> Option<String> {
    [units::ETC, units::VENDOR].map(|dir| format!("{dir}/{file}")).into_iter().find(|path| system.exists(path))
}

/// The units of the system, and the first one that could not be read.
struct Units<'a> {
    system: &'a dyn Root,
    failed: RefCell<Option<Error>>,
}

impl<'a> Units<'a> {
    fn of(system: &'a dyn Root) -> Self {
        Units { system, failed: RefCell::new(None) }
    }

    /// What a unit's file says.
    fn read(&self, file: &str) -> Option<UnitFacts> {
        if self.failed.borrow().is_some() {
            return None;
        }
        match read(self.system, &place(self.system, file)?) {
            Ok(text) => Some(UnitFacts { install: UnitInstall::parse(&text?), ..UnitFacts::default() }),
            Err(error) => {
                self.failed.borrow_mut().get_or_insert(error);
                None
            }
        }
    }

    fn whole(self) -> Result<()> {
        self.failed.into_inner().map_or(Ok(()), Err)
    }
}

fn enable(system: &dyn Root, name: &str) -> Result<()> {
    let file = units::file_of(name);
    if place(system, &file).is_none() {
        return Err(lacks(name));
    }
    let units = Units::of(system);
    let links = units::links(name, &|file| units.read(file));
    units.whole()?;
    for made in links {
        let target = place(system, &made.file).unwrap_or_else(|| format!("{}/{}", units::VENDOR, made.file));
        link(system, &made.path, &target)?;
    }
    Ok(())
}

/// Takes away every link that starts the unit. One that is not there does not start.
fn disable(system: &dyn Root, name: &str) -> Result<()> {
    let doing = format!("disabling {name}");
    let units = Units::of(system);
    let all = units::with_also(name, &|file| units.read(file));
    units.whole()?;
    for (entry, _) in system.list(units::ETC).doing(Stage::System, &doing)? {
        let path = format!("{}/{entry}", units::ETC);
        let starts = [".wants", ".requires", ".upholds"].iter().any(|kind| entry.ends_with(kind));
        if starts && system.is_dir(&path) {
            for (started, _) in system.list(&path).doing(Stage::System, &doing)? {
                // A template stands for all its instances.
                let template = units::file_of(&started);
                if all.iter().any(|unit| *unit == started || *unit == template) {
                    system.remove(&format!("{path}/{started}")).doing(Stage::System, &doing)?;
                }
            }
            continue;
        }
        // Another name of the unit; a link of its own name says where its file is.
        let target = system.read_link(&path);
        let target = target.as_deref().and_then(|target| target.file_name()).map(|name| name.to_string_lossy());
        if target.is_some_and(|target| target != entry && all.iter().any(|unit| units::file_of(unit) == target)) {
            system.remove(&path).doing(Stage::System, &doing)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::host::root::TargetRoot;

    fn root(units: &[(&str, &str)]) -> (tempfile::TempDir, TargetRoot) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("etc/systemd/system")).unwrap();
        fs::create_dir_all(dir.path().join("usr/lib/systemd/system")).unwrap();
        for (name, install) in units {
            let text = format!("[Unit]\n[Install]\n{install}\n");
            fs::write(dir.path().join("usr/lib/systemd/system").join(name), text).unwrap();
        }
        let root = TargetRoot::open(dir.path()).unwrap().keeping_owners();
        (dir, root)
    }

    fn links(root: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![root.join("etc/systemd/system")];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_symlink() {
                    let target = fs::read_link(&path).unwrap().display().to_string();
                    let name = path.strip_prefix(root.join("etc/systemd/system")).unwrap().display().to_string();
                    found.push(format!("{name} > {target}"));
                } else if path.is_dir() {
                    open.push(path);
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn a_unit_is_turned_on_and_off_by_its_links() {
        let (dir, root) = root(&[
            ("ssh.service", "WantedBy=multi-user.target\nAlias=sshd.service\nAlso=ssh.socket"),
            ("ssh.socket", "WantedBy=sockets.target"),
            ("getty@.service", "WantedBy=getty.target"),
        ]);
        enable(&root, "ssh.service").unwrap();
        enable(&root, "getty@tty3.service").unwrap();
        let vendor = "/usr/lib/systemd/system";
        assert_eq!(
            links(dir.path()),
            [
                format!("getty.target.wants/getty@tty3.service > {vendor}/getty@.service"),
                format!("multi-user.target.wants/ssh.service > {vendor}/ssh.service"),
                format!("sockets.target.wants/ssh.socket > {vendor}/ssh.socket"),
                format!("sshd.service > {vendor}/ssh.service"),
            ]
        );
        disable(&root, "ssh.service").unwrap();
        assert_eq!(links(dir.path()).len(), 1);
        disable(&root, "getty@.service").unwrap();
        assert_eq!(links(dir.path()), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_there_is_off_and_cannot_be_turned_on() {
        let (_dir, root) = root(&[]);
        disable(&root, "kdump.service").unwrap();
        let error = enable(&root, "kdump.service").unwrap_err();
        assert!(error.to_string().contains("no kdump.service"), "{error}");
    }

    #[test]
    fn no_link_of_a_unit_leads_elsewhere() {
        let (dir, root) = root(&[("a.service", "WantedBy=../../../tmp/x.target\nAlias=../../b.service")]);
        enable(&root, "a.service").unwrap();
        assert_eq!(links(dir.path()), Vec::<String>::new());
        assert!(!dir.path().join("tmp").exists());
    }
}
