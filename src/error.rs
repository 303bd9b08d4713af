//! How a failure is told, and which exit code it gets.

use std::process::ExitCode;

use installer_core::event::Event;
use installer_core::{Error, Stage};

use crate::logging;
use crate::words::words;

/// The kickstart is wrong, and that has been said already, line by line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadKickstart(pub String);

/// Exit code of bad input.
const BAD_INPUT: u8 = 2;

/// The exit code of `error`.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    error.downcast_ref::<Error>().map_or(BAD_INPUT, Error::exit_code)
}

/// What to do about it, in the words of this front door.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    error.downcast_ref::<Error>()?.remedy().map(|remedy| remedy.say(&words))
}

/// Says what went wrong and what to do about it, also in the log of an installation.
pub fn tell(error: &anyhow::Error) -> ExitCode {
    let (hint, code) = (hint(error), exit_code(error));
    eprintln!("error: {error:#}");
    logging::always(&format!("error: {error:#}"));
    if let Some(hint) = hint {
        eprintln!(" hint: {hint}");
        logging::always(&format!(" hint: {hint}"));
    }
    logging::always(&format!("bootc-ks ends: exit code {code}"));
    ExitCode::from(code)
}

/// The failure as an event.
pub fn event(error: &anyhow::Error) -> Event {
    match error.downcast_ref::<Error>() {
        Some(ours) => {
            let mut event = Event::failed(ours, &words);
            if let Event::Failed { message, .. } = &mut event {
                *message = format!("{error:#}");
            }
            event
        }
        None => Event::failed(&Error::input(Stage::Request, format!("{error:#}")), &words),
    }
}

/// The failure as JSON, for `--format json`.
pub fn json(error: &anyhow::Error) -> serde_json::Value {
    let ours = error.downcast_ref::<Error>();
    serde_json::json!({
        "schema": 1,
        "error": {
            "kind": ours.map(Error::kind),
            "stage": ours.map(Error::stage),
            "message": format!("{error:#}"),
            "hint": hint(error),
            "disk_touched": ours.is_some_and(Error::touched),
            "exit_code": exit_code(error),
        }
    })
}
