//! `bootc-ks install` as a child: its lines for people go to the consoles, its events to
//! the report's receiver.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context;
use installer_core::apply::Report;
use installer_core::event::Event;
use installer_core::request::EndAction;
use installer_core::{Error, Kind, Stage};
use pxe::build::IMAGE_FACTS;
use pxe::options::Options;

use super::consoles::Consoles;
use super::report::Reporter;

/// What to run.
pub struct Job<'a> {
    /// The command line's.
    pub options: &'a Options,
    /// The image, if not the kickstart's.
    pub image: Option<&'a str>,
    /// The kickstart.
    pub kickstart: &'a str,
    /// Where the log goes.
    pub log: &'a str,
}

/// What came out of it for machines.
#[derive(Default)]
struct Told {
    end: Option<EndAction>,
    failed: Option<Event>,
}

/// Runs it to its end. Consent to clear disks is the kickstart's to give, as always.
pub fn run(job: &Job<'_>, consoles: &Consoles, reporter: &Reporter) -> anyhow::Result<EndAction> {
    let mut child = command(job)?.spawn().context("starting the installation")?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut told = Told::default();
    std::thread::scope(|scope| {
        if let Some(stderr) = stderr {
            scope.spawn(move || {
                for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                    consoles.say(String::from_utf8_lossy(&line).trim_end());
                }
            });
        }
        for line in stdout.map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            told.line(&line, &mut |line| reporter.event(line));
        }
    });
    let status = child.wait().context("waiting for the installation")?;
    match told {
        Told { end: Some(end), .. } if status.success() => Ok(end),
        Told { failed: Some(Event::Failed { kind, stage, message, hint, disk_touched }), .. } => {
            Err(again(kind, stage, message, hint, disk_touched).into())
        }
        _ => Err(Error::failed(Stage::Finish, format!("the installation stopped without a word ({status})"))
            .hint(format!("see {}", job.log))
            .into()),
    }
}

fn command(job: &Job<'_>) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("finding this program")?);
    command.args(["install", job.kickstart, "--events", "-", "--format", "json", "--no-reboot", "--log", job.log]);
    command.arg("--boot-words");
    // Of the image that this environment was made from; they are used where nothing can be lost.
    command.args(["--image-facts", IMAGE_FACTS]);
    if job.options.fetch_after_wipe {
        command.arg("--fetch-after-wipe");
    }
    if let Some(image) = job.image {
        command.args(["--image", image]);
    }
    if let Some(target) = &job.options.target {
        command.args(["--target-image", target]);
    }
    if let Some(timeout) = job.options.kickstart_timeout {
        command.args(["--kickstart-timeout", &timeout.as_secs().to_string()]);
    }
    if job.options.leave_boot_order {
        command.arg("--leave-boot-order");
    }
    for (unsaved, what) in [(job.options.no_save.kickstart, "kickstart"), (job.options.no_save.log, "log")] {
        if unsaved {
            command.args(["--no-save", what]);
        }
    }
    for registry in &job.options.insecure {
        command.args(["--insecure-registry", registry]);
    }
    if let Some(proxy) = &job.options.proxy {
        command.envs(["http_proxy", "https_proxy"].map(|name| (name, proxy)));
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

impl Told {
    /// A line of standard output: an event, or at the end the report or the error. Events go on
    /// as they came, those without a name here too: who listens may know more.
    fn line(&mut self, line: &str, pass_on: &mut dyn FnMut(&str)) {
        match serde_json::from_str::<Event>(line) {
            Ok(event @ Event::Other(_)) if event.name() == "report" => match serde_json::from_str::<Report>(line) {
                Ok(report) => self.end = Some(report.end),
                Err(error) => tracing::warn!(%error, "the installation's report cannot be read"),
            },
            // The event before it said the same.
            Ok(event @ Event::Other(_)) if event.name() == "error" => {}
            Ok(event) => {
                pass_on(line);
                if matches!(event, Event::Failed { .. }) {
                    self.failed = Some(event);
                }
            }
            Err(error) => tracing::warn!(%error, line, "the installation wrote what is no event"),
        }
    }
}

/// The child's error as one of ours.
fn again(kind: Kind, stage: Stage, message: String, hint: Option<String>, touched: bool) -> Error {
    let mut error = Error::new(kind, stage, message);
    if let Some(hint) = hint {
        error = error.hint(hint);
    }
    if touched { error.after_touching() } else { error }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn the_command_understands_what_it_is_told() {
        let options = Options::parse(
            "inst.nosave=all inst.leavebootorder bootc-ks.target=q.io/a bootc-ks.insecure=r:1 inst.proxy=http://p \
             bootc-ks.fetch-after-wipe",
        );
        let job = Job { options: &options, image: Some("q.io/b"), kickstart: "/ks.cfg", log: "/log" };
        let command = command(&job).unwrap();
        let words: Vec<String> = command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
        for what in [
            "--no-save kickstart --no-save log",
            "--leave-boot-order",
            "--insecure-registry r:1",
            "--image-facts /etc",
            "--fetch-after-wipe",
        ] {
            assert!(words.join(" ").contains(what), "{words:?}");
        }
        crate::cli::Cli::try_parse_from([vec!["bootc-ks".to_owned()], words].concat()).map(|_| ()).unwrap();
    }

    #[test]
    fn lines_are_events_and_a_report_at_the_end() {
        let failed = Event::failed(&Error::refused(Stage::Plan, "no"), &|_| None);
        let failed_line = serde_json::to_string(&failed).unwrap();
        let events = [
            r#"{"type":"step-finished","event":"step-finished","step":1,"millis":3}"#,
            r#"{"type":"of-a-newer-version","what":1}"#,
            &failed_line,
        ];
        let digest = format!("sha256:{}", "0".repeat(64));
        let report = serde_json::json!({
            "type": "report", "schema": 1, "plan": digest, "image": digest, "commit": "c", "target": "/dev/vda",
            "kargs": [], "steps": [], "warnings": [], "end": "reboot", "of-a-newer-version": 1,
        });
        let rest = [r#"{"type":"error","schema":1,"error":{}}"#, "no JSON", &report.to_string()];
        let (mut told, mut passed_on) = (Told::default(), Vec::new());
        for line in events.iter().chain(&rest) {
            told.line(line, &mut |line| passed_on.push(line.to_owned()));
        }
        assert_eq!(passed_on, events);
        assert_eq!((told.end, told.failed), (Some(EndAction::Reboot), Some(failed)));
    }
}
