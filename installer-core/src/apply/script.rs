//! The kickstart's scripts: %post inside the installed system or beside it, %pre before
//! anything is decided.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::run::Run;
use crate::error::{Context, Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::host::root::Root;
use crate::host::{Host, Mount, MountKind, ProgramError};
use crate::program::Program;
use crate::request::Script;

/// Runs a %post script.
pub fn run(run: &mut Run<'_>, script: &Script) -> Result<()> {
    let outcome = if script.inside { inside(run, script) } else { beside(run, script) };
    run.options.cancel.check(Stage::Script)?;
    settle(outcome, script, "%post").or_else(|warning| match warning {
        Settled::Fatal(error) => Err(error),
        Settled::Warning(text) => {
            run.warn(text);
            Ok(())
        }
    })
}

/// Runs a %pre script on this machine; a warning comes back where it fails and may.
pub fn run_pre_script(script: &Script, host: &dyn Host, events: &dyn Sink) -> Result<Option<String>> {
    match settle(on_host(script, host, events, &[]), script, "%pre") {
        Ok(()) => Ok(None),
        Err(Settled::Warning(text)) => Ok(Some(text)),
        Err(Settled::Fatal(error)) => Err(error),
    }
}

enum Settled {
    Warning(String),
    Fatal(Error),
}

/// Kickstart's own rule: only `--erroronfail` makes a script's failure the installation's.
fn settle(outcome: Result<()>, script: &Script, section: &str) -> std::result::Result<(), Settled> {
    let Err(error) = outcome else { return Ok(()) };
    let text = format!("the {section} script at {} failed: {error}", script.origin);
    if script.fatal {
        return Err(Settled::Fatal(
            Error::failed(Stage::Script, text)
                .hint("the kickstart wants its failure to end the installation; its output is in the log"),
        ));
    }
    Err(Settled::Warning(text))
}

fn inside(run: &mut Run<'_>, script: &Script) -> Result<()> {
    let system = run.system()?;
    // /tmp of the system is a tmpfs of this installation's own; it vanishes with the mount.
    let name = "/tmp/bootc-ks-script";
    let doing = "writing the script into the system";
    system.write(name, script.body.as_bytes(), 0o700, Some((0, 0))).doing(Stage::Script, doing)?;
    let resolver =
        Resolver::lend(run.host, system.as_ref()).doing(Stage::Script, "lending the name servers to the system")?;
    let mut log = match &script.log {
        Some(path) => {
            system.write(path, b"", 0o600, None).doing(Stage::Script, format_args!("creating {path}"))?;
            Log::of(system.append(path), path)?
        }
        None => Log::default(),
    };
    let program = Program::new(script.interpreter.clone()).arg(name).env("HOME", "/root").inside(&run.system_root());
    let outcome = execute(&program, run.host, run.events, &mut log);
    end_leftovers(run, script, &[]);
    resolver.take_back(system.as_ref()).doing(Stage::Script, "taking the name servers back")?;
    system.remove(name).doing(Stage::Script, "removing the script")?;
    outcome
}

fn beside(run: &mut Run<'_>, script: &Script) -> Result<()> {
    let mark = run.teardown.mark();
    let places = customary_places(run)?;
    let root = run.system_root().display().to_string();
    let outcome = on_host(script, run.host, run.events, &[("ANA_INSTALL_PATH", root)]);
    end_leftovers(run, script, &places);
    run.teardown.unwind_to(mark, run.host)?;
    outcome
}

/// Ends what a script has left running inside the system, under its own name or at one of `places`.
fn end_leftovers(run: &mut Run<'_>, script: &Script, places: &[PathBuf]) {
    let system = run.system_root();
    let roots: Vec<&Path> = places.iter().map(PathBuf::as_path).chain([system.as_path()]).collect();
    let ended = run.host.end_stray_processes(&roots);
    if !ended.is_empty() {
        let (origin, ended) = (&script.origin, ended.join(", "));
        run.warn(format!("the %post script at {origin} left processes behind, which were ended: {ended}"));
    }
}

/// Shows the system where scripts written for Anaconda look for it. /mnt is covered in this
/// installation's own mount namespace alone, and only where the directory is empty. Returns where
/// the system is shown.
fn customary_places(run: &mut Run<'_>) -> Result<Vec<PathBuf>> {
    let mnt = Path::new("/mnt");
    let mut places = Vec::new();
    if !run.host.open(mnt).and_then(|mnt| mnt.list("")).is_ok_and(|names| names.is_empty()) {
        return Ok(places);
    }
    let tmpfs = Mount { source: "tmpfs".into(), target: mnt.into(), kind: MountKind::Virtual("tmpfs") };
    run.mount(Stage::Script, &tmpfs)?;
    for name in ["sysimage", "sysroot"] {
        let target = mnt.join(name);
        run.open(Stage::Script, mnt)?.create_dirs(name).doing(Stage::Script, "making a mount point")?;
        places.push(target.clone());
        let source = run.system_root().display().to_string();
        run.mount(Stage::Script, &Mount { source, target, kind: MountKind::BindRecursive })?;
    }
    Ok(places)
}

fn on_host(script: &Script, host: &dyn Host, events: &dyn Sink, env: &[(&str, String)]) -> Result<()> {
    let doing = "writing the script";
    let mut file = tempfile::Builder::new().prefix("bootc-ks-script").tempfile().doing(Stage::Script, doing)?;
    file.write_all(script.body.as_bytes()).doing(Stage::Script, doing)?;
    // Kept open for writing it could not be executed; the interpreter only reads it.
    let path = file.into_temp_path();
    let mut log = match &script.log {
        Some(path) => Log::beside(host, Path::new(path))?,
        None => Log::default(),
    };
    let mut program = Program::new(script.interpreter.clone()).arg(path.display().to_string()).env("HOME", "/root");
    for (key, value) in env {
        program = program.env(key, value.clone());
    }
    execute(&program, host, events, &mut log)
}

fn execute(program: &Program, host: &dyn Host, events: &dyn Sink, log: &mut Log) -> Result<()> {
    let outcome = host.run(program, &mut |line| {
        events.emit(&Event::Output { line: line.to_owned() });
        log.line(line);
    });
    outcome.map_err(|error| match error {
        // The command line is ours, not the admin's; only how it ended tells something.
        ProgramError::Status { status, tail, .. } if tail.is_empty() => {
            Error::failed(Stage::Script, format!("it {status}"))
        }
        ProgramError::Status { status, tail, .. } => Error::failed(Stage::Script, format!("it {status}: {tail}")),
        other => Error::failed(Stage::Script, other.to_string()),
    })
}

/// The file of `--log`.
#[derive(Default)]
struct Log {
    file: Option<fs::File>,
}

impl Log {
    /// At `path` of this machine.
    fn beside(host: &dyn Host, path: &Path) -> Result<Self> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Log::of(host.open(parent).and_then(|parent| parent.append(&name)), &path.display().to_string())
    }

    fn of(file: std::io::Result<fs::File>, path: &str) -> Result<Self> {
        let file = file.doing(Stage::Script, format_args!("opening the script's log {path}"))?;
        Ok(Log { file: Some(file) })
    }

    fn line(&mut self, line: &str) {
        if let Some(file) = &mut self.file
            && let Err(error) = writeln!(file, "{line}")
        {
            tracing::warn!(%error, "writing the script's log");
        }
    }
}

/// This machine's name servers, lent to the system while a script runs. What the system gets
/// for good is the image's own business.
struct Resolver {
    lent: Option<String>,
}

const RESOLV_CONF: &str = "/etc/resolv.conf";

impl Resolver {
    fn lend(host: &dyn Host, system: &dyn Root) -> std::io::Result<Self> {
        let nothing = Resolver { lent: None };
        let Ok(Some(content)) = host.open(Path::new("/")).and_then(|machine| machine.read(RESOLV_CONF)) else {
            return Ok(nothing);
        };
        // A link usually leads into /run, which is a tmpfs of ours now.
        let link = system.read_link(RESOLV_CONF);
        let target = match &link {
            Some(link) => inside_path(Path::new("/etc"), link),
            None => PathBuf::from(RESOLV_CONF),
        };
        let target = target.display().to_string();
        if system.read(&target)?.is_some_and(|text| !text.trim().is_empty()) || target.starts_with("/usr") {
            return Ok(nothing);
        }
        if link.is_some() && !target.starts_with("/run/") {
            return Ok(nothing);
        }
        system.write(&target, content.as_bytes(), 0o644, Some((0, 0)))?;
        Ok(Resolver { lent: (target == RESOLV_CONF).then_some(content) })
    }

    fn take_back(self, system: &dyn Root) -> std::io::Result<()> {
        match self.lent {
            // A script that wrote its own wants to keep it.
            Some(content) if system.read(RESOLV_CONF)?.as_ref() == Some(&content) => system.remove(RESOLV_CONF),
            _ => Ok(()),
        }
    }
}

/// Where `link`, found in the directory `dir`, leads, `..` worked out.
fn inside_path(dir: &Path, link: &Path) -> PathBuf {
    let mut path = PathBuf::from("/");
    for part in dir.join(link).components() {
        match part {
            std::path::Component::ParentDir => {
                path.pop();
            }
            std::path::Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Silent;
    use crate::host::Real;

    fn script(body: &str, fatal: bool) -> Script {
        Script {
            inside: false,
            interpreter: "/bin/sh".into(),
            body: body.into(),
            log: None,
            fatal,
            origin: "site.ks:7".into(),
        }
    }

    #[test]
    fn only_erroronfail_makes_a_failure_fatal() {
        assert_eq!(run_pre_script(&script("true", true), &Real, &Silent).unwrap(), None);
        let warning = run_pre_script(&script("echo no >&2; exit 3", false), &Real, &Silent).unwrap().unwrap();
        assert_eq!(warning, "the %pre script at site.ks:7 failed: it failed with exit code 3: no");
        let error = run_pre_script(&script("exit 3", true), &Real, &Silent).unwrap_err();
        assert_eq!(error.stage(), Stage::Script);
    }

    #[test]
    fn links_are_worked_out_inside_the_system() {
        assert_eq!(
            inside_path(Path::new("/etc"), Path::new("../run/systemd/resolve/stub-resolv.conf")),
            Path::new("/run/systemd/resolve/stub-resolv.conf")
        );
        assert_eq!(inside_path(Path::new("/etc"), Path::new("../../../x")), Path::new("/x"));
    }
}
