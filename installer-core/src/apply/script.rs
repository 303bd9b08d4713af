//! The kickstart's scripts: %post inside the installed system or beside it, %pre before
//! anything is decided.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::deploy;
use super::run::Run;
use crate::error::{Context, Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::host::root::Root;
use crate::host::{Host, MemoryFile, Mount, MountKind, ProgramError};
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
    let mut missing = None;
    let outcome = on_host(script, host, events, &[]).map(|why| missing = why);
    match settle(outcome, script, "%pre") {
        Ok(()) => Ok(missing.map(|why| format!("the %pre script at {}: {why}", script.origin))),
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
    let (mut log, missing) = Log::open(script.log.as_deref(), |path| {
        system.write(path, b"", 0o600, None)?;
        system.append(path)
    });
    missing.into_iter().for_each(|why| run.warn(format!("the %post script at {}: {why}", script.origin)));
    let program = Program::new(script.interpreter.clone()).arg(name).env("HOME", "/root").inside(&run.system_root());
    let program = run.caged(program).with(|cage| cage.network = true);
    let outcome = execute(&program, run.host, run.events, &mut log);
    end_leftovers(run, script, &[]);
    resolver.take_back(system.as_ref()).doing(Stage::Script, "taking the name servers back")?;
    system.remove(name).doing(Stage::Script, "removing the script")?;
    outcome
}

fn beside(run: &mut Run<'_>, script: &Script) -> Result<()> {
    let mark = run.teardown.mark();
    deploy::show_kernel(run)?;
    let places = customary_places(run)?;
    let root = run.system_root().display().to_string();
    let outcome = on_host(script, run.host, run.events, &[("ANA_INSTALL_PATH", root)]);
    let outcome = outcome.map(|missing| {
        missing.into_iter().for_each(|why| run.warn(format!("the %post script at {}: {why}", script.origin)));
    });
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

/// Runs it on this machine; what comes back is why there is no log.
fn on_host(script: &Script, host: &dyn Host, events: &dyn Sink, env: &[(&str, String)]) -> Result<Option<String>> {
    // In memory: nothing is left of it, however this ends.
    let file = MemoryFile::new("bootc-ks-script", script.body.as_bytes()).doing(Stage::Script, "writing the script")?;
    let (mut log, missing) = Log::open(script.log.as_deref(), |path| {
        let path = Path::new(path);
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        host.open(parent)?.append(&name)
    });
    let mut program = Program::new(script.interpreter.clone()).arg(file.path.clone()).env("HOME", "/root");
    for (key, value) in env {
        program = program.env(key, value.clone());
    }
    execute(&program, host, events, &mut log).map(|()| missing)
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
    /// The one at `path`, if one is asked for. A script does not wait for its log: where none can be made,
    /// it runs without, and why comes beside it.
    fn open(path: Option<&str>, open: impl FnOnce(&str) -> std::io::Result<fs::File>) -> (Self, Option<String>) {
        match path.map(|path| (path, open(path))) {
            None => (Log::default(), None),
            Some((_, Ok(file))) => (Log { file: Some(file) }, None),
            Some((path, Err(error))) => (Log::default(), Some(format!("its log {path} cannot be made: {error}"))),
        }
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
pub fn inside_path(dir: &Path, link: &Path) -> PathBuf {
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
    fn a_log_that_cannot_be_made_skips_no_script() {
        let dir = tempfile::tempdir().unwrap();
        let ran = dir.path().join("ran");
        for log in ["/proc/none/x.log", "/dev", "", "none/there.log"] {
            let script = Script { log: Some(log.into()), ..script(&format!("echo >> {}", ran.display()), true) };
            let warning = run_pre_script(&script, &Real, &Silent).unwrap().unwrap();
            assert!(warning.contains("site.ks:7: its log") && warning.contains("cannot be made"), "{warning}");
        }
        assert_eq!(fs::read(&ran).unwrap().len(), 4);
    }

    #[test]
    fn an_interpreter_that_is_missing_is_a_failure_of_the_script() {
        for name in ["/usr/bin/none-such", "none-such", "/etc/passwd", "/"] {
            let of = |fatal| Script { interpreter: name.into(), ..script("", fatal) };
            let warning = run_pre_script(&of(false), &Real, &Silent).unwrap().unwrap();
            assert!(warning.starts_with("the %pre script at site.ks:7 failed: "), "{warning}");
            run_pre_script(&of(true), &Real, &Silent).unwrap_err();
        }
    }

    #[test]
    fn nothing_of_a_script_lies_in_a_directory() {
        let script = script("test -r \"$0\" && case $0 in /proc/*) ;; *) exit 1 ;; esac", true);
        assert_eq!(run_pre_script(&script, &Real, &Silent).unwrap(), None);
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
