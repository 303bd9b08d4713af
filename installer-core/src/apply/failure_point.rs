//! Places where an installation can be made to end, for tests of what that leaves behind: before and
//! after every step, and around the last rename. A person who installs never sees them.

use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result, Stage};
use crate::event::{Event, Sink};

/// How it ends there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailBy {
    /// With an error.
    Error,
    /// By SIGKILL.
    Kill,
    /// Not at all: it stops by SIGSTOP, until it is continued, or its machine loses its power.
    Stop,
}

impl FromStr for FailBy {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "error" => Ok(FailBy::Error),
            "kill" => Ok(FailBy::Kill),
            "stop" => Ok(FailBy::Stop),
            _ => Err("it is one of error, kill, stop".into()),
        }
    }
}

/// Where it ends: `before:import`, `after:3`, or `every`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailurePoint {
    /// The place.
    pub at: String,
    /// How.
    pub ending: FailBy,
}

/// Passes the place `side` (`before`, `after`) of `name`, which is step `number` if it is one.
pub fn pass(
    point: Option<&FailurePoint>,
    side: &str,
    (number, name): (Option<usize>, &str),
    events: &dyn Sink,
) -> Result<()> {
    let Some(point) = point else { return Ok(()) };
    let is = |what: &str| point.at == format!("{side}:{what}");
    if point.at != "every" && !is(name) && !number.is_some_and(|number| is(&number.to_string())) {
        return Ok(());
    }
    let place = match number {
        Some(number) => format!("{side} step {number} ({name})"),
        None => format!("{side} '{name}'"),
    };
    match point.ending {
        FailBy::Error => return Err(Error::failed(Stage::Finish, format!("made to fail {place}"))),
        FailBy::Kill => signal(rustix::process::Signal::KILL),
        FailBy::Stop => {
            events.emit(&Event::Output { line: format!("made to stop {place}") });
            signal(rustix::process::Signal::STOP);
            // Another thread may be the one that takes it.
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}

fn signal(signal: rustix::process::Signal) {
    let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
}
