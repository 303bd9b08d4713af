//! The kickstart's scripts: %post inside the installed system or beside it, %pre before anything is
//! decided, %pre-install before the image is there, %onerror and %traceback when it went wrong.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::deploy;
use super::run::Run;
use super::script_places as places;
use super::script_resolver::Resolver;
use crate::error::{Context, Error, Result, Stage};
use crate::event::{Event, Sink};
use crate::host::{Host, MemoryFile, ProgramError};
use crate::program::Program;
use crate::request::{Script, When};

/// Runs a script that is a step of the installation.
pub fn run(run: &mut Run<'_>, script: &Script) -> Result<()> {
    let there = places::essentials(run)?;
    let mark = run.teardown.mark();
    let beside_system = !script.inside && places::root(run, script.when).as_ref() == Some(&run.system_root());
    let kernel = if beside_system { deploy::show_kernel(run) } else { Ok(()) };
    let outcome = kernel.and_then(|()| if script.inside { inside(run, script) } else { beside(run, script) });
    let closed = run.teardown.unwind_to(mark, run.host);
    let outcome = outcome.and(closed);
    run.options.cancel.check(Stage::Script)?;
    let outcome = outcome.map_err(|error| match places::full(run) {
        Some(place) => error
            .context(format_args!("the file system of {place} is full"))
            .hint("the file system is too small for what the script writes: make it larger"),
        None => error,
    });
    let outcome = settle(outcome, script).or_else(|warning| match warning {
        Settled::Fatal(error) => Err(error),
        Settled::Warning(text) => {
            run.warn(text);
            Ok(())
        }
    });
    outcome?;
    places::require(run, &there, script)
}

/// Runs a %pre script on this machine; a warning comes back where it fails and may.
pub fn run_pre_script(script: &Script, host: &dyn Host, events: &dyn Sink) -> Result<Option<String>> {
    let mut missing = None;
    let outcome = on_host(script, host, events, &[]).map(|why| missing = why);
    match settle(outcome, script) {
        Ok(()) => Ok(missing.map(|why| format!("the {} script at {}: {why}", script.when.section(), script.origin))),
        Err(Settled::Warning(text)) => Ok(Some(text)),
        Err(Settled::Fatal(error)) => Err(error),
    }
}

/// Runs those of `scripts` that are for a failure, where nothing of the target is there to be shown. How
/// they end changes nothing any more.
pub fn run_failure_scripts(scripts: &[Script], when: When, host: &dyn Host, events: &dyn Sink) {
    for script in scripts.iter().filter(|script| script.when == when) {
        let outcome = on_host(script, host, events, &[]).map(drop);
        if let Err(error) = outcome {
            events.emit(&Event::Warning { message: failure(script, &error) });
        }
    }
}

/// Runs the %onerror scripts of an installation that has just failed; what there is of the system is
/// still mounted.
pub fn after_failure(run: &mut Run<'_>) {
    let plan = run.plan;
    for script in plan.on_failure.iter().filter(|script| script.when == When::OnError) {
        if let Err(error) = beside(run, script) {
            run.warn(failure(script, &error));
        }
    }
}

fn failure(script: &Script, error: &Error) -> String {
    format!("the {} script at {} failed: {error}", script.when.section(), script.origin)
}

enum Settled {
    Warning(String),
    Fatal(Error),
}

/// Kickstart's own rule: only `--erroronfail` makes a script's failure the installation's.
fn settle(outcome: Result<()>, script: &Script) -> std::result::Result<(), Settled> {
    let Err(error) = outcome else { return Ok(()) };
    let (text, error_hint) = (failure(script, &error), error.remedy().map(ToString::to_string));
    if script.fatal {
        let error = Error::failed(Stage::Script, text);
        return Err(Settled::Fatal(match error_hint {
            Some(hint) => error.hint(hint),
            None => error.hint("the kickstart wants its failure to end the installation; its output is in the log"),
        }));
    }
    Err(Settled::Warning(match error_hint {
        Some(hint) => format!("{text} ({hint})"),
        None => text,
    }))
}

/// What a script says that writes where it cannot, and what to do about it.
const READ_ONLY: &str = "Read-only file system";
const INTO_THE_IMAGE: &str = "in the new system /etc, /var and /boot can be written, and /usr cannot, now as later: put \
                              what the script writes there into the image, by a line of its Containerfile";

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
    places::prepare(run)?;
    let program = Program::new(script.interpreter.clone()).arg(name).env("HOME", "/root").inside(&run.system_root());
    let mut program = run.caged(program).with(|cage| cage.network = true);
    program.time_limit = script.time_limit.map(Duration::from_secs);
    let outcome = execute(&program, run.host, run.events, &mut log);
    end_leftovers(run, script, &[]);
    resolver.take_back(system.as_ref()).doing(Stage::Script, "taking the name servers back")?;
    system.remove(name).doing(Stage::Script, "removing the script")?;
    outcome
}

fn beside(run: &mut Run<'_>, script: &Script) -> Result<()> {
    let mark = run.teardown.mark();
    let root = places::root(run, script.when);
    let shown = places::show(run, root.as_deref());
    let outcome = shown.and_then(|shown| {
        let env = root.map(|root| ("ANA_INSTALL_PATH", root.display().to_string()));
        let outcome = on_host(script, run.host, run.events, env.as_slice());
        let section = script.when.section();
        let outcome = outcome.map(|missing| {
            missing.into_iter().for_each(|why| run.warn(format!("the {section} script at {}: {why}", script.origin)));
        });
        end_leftovers(run, script, &shown);
        outcome
    });
    run.teardown.unwind_to(mark, run.host)?;
    places::hide(run);
    outcome
}

/// Ends what a script has left running inside the system, under its own name or at one of `places`.
fn end_leftovers(run: &mut Run<'_>, script: &Script, places: &[PathBuf]) {
    let system = run.system_root();
    let roots: Vec<&Path> = places.iter().map(PathBuf::as_path).chain([system.as_path()]).collect();
    let ended = run.host.end_stray_processes(&roots);
    if !ended.is_empty() {
        let (origin, ended) = (&script.origin, ended.join(", "));
        let section = script.when.section();
        run.warn(format!("the {section} script at {origin} left processes behind, which were ended: {ended}"));
    }
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
    program.time_limit = script.time_limit.map(Duration::from_secs);
    execute(&program, host, events, &mut log).map(|()| missing)
}

fn execute(program: &Program, host: &dyn Host, events: &dyn Sink, log: &mut Log) -> Result<()> {
    let mut read_only: Option<String> = None;
    let outcome = host.run(program, &mut |line| {
        if line.contains(READ_ONLY) {
            read_only.get_or_insert_with(|| line.chars().take(300).collect());
        }
        events.emit(&Event::Output { line: line.to_owned() });
        log.line(line);
    });
    let failed = |text: String| match read_only.filter(|_| program.cage.is_some()) {
        // It may have gone on for a while after that.
        Some(line) if !text.contains(READ_ONLY) => {
            Error::failed(Stage::Script, format!("{text}; it had said: {line}")).hint(INTO_THE_IMAGE)
        }
        Some(_) => Error::failed(Stage::Script, text).hint(INTO_THE_IMAGE),
        None => Error::failed(Stage::Script, text),
    };
    outcome.map_err(|error| match error {
        // The command line is ours, not the admin's; only how it ended tells something.
        ProgramError::Status { status, tail, .. } if tail.is_empty() => failed(format!("it {status}")),
        ProgramError::Status { status, tail, .. } => failed(format!("it {status}: {tail}")),
        other => failed(other.to_string()),
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
            when: When::Pre,
            time_limit: None,
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
}
