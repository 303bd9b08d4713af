//! What is known of a machine, and how its state changes. Pure: the time is an argument.
//!
//! ```text
//! unknown ──arm──► armed ──boot script──► booting ──kickstart──► installing ──► installed
//!    ▲                                       │                        │
//!    └──────────── (asks too late) ──────────┘                        └───────► failed
//! ```
//!
//! Only `arm` leads to an installation, and one arming leads to one: a request in any other
//! state boots from its disk.

use std::collections::VecDeque;

use installer_core::event::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::identity::Identity;

/// How long the same boot script is given again: firmware asks twice, people press keys.
pub const GRACE: u64 = 120;
/// How long a kickstart waits for its machine, in seconds.
const FETCH_WITHIN: u64 = 3600;
/// How long an installation may take.
const INSTALL_WITHIN: u64 = 24 * 3600;
/// How long after the end the log may follow.
const LOG_WITHIN: u64 = 900;
/// Characters of a title or message that are kept.
const LONGEST: usize = 200;
/// Remarks kept for each machine.
const REMARKS: usize = 20;

/// Where a machine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// No installation is wanted of it.
    #[default]
    Unknown,
    /// It will be installed when it asks next.
    Armed,
    /// It has its boot script and has not fetched its kickstart.
    Booting,
    /// It has its kickstart.
    Installing,
    /// It said so.
    Installed,
    /// It said so.
    Failed,
}

impl State {
    /// All of them.
    pub const ALL: [State; 6] =
        [State::Unknown, State::Armed, State::Booting, State::Installing, State::Installed, State::Failed];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            State::Unknown => "unknown",
            State::Armed => "armed",
            State::Booting => "booting",
            State::Installing => "installing",
            State::Installed => "installed",
            State::Failed => "failed",
        }
    }
}

/// One machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    /// Its name in machines.toml, or its address, UUID or serial number.
    pub id: String,
    /// Whether machines.toml names it.
    pub named: bool,
    /// What it said of itself.
    pub who: Identity,
    /// Where it is.
    pub state: State,
    /// Since when, in seconds since 1970.
    pub since: u64,
    /// When it was last heard of.
    pub seen: Option<u64>,
    /// The installation under way, or the last one.
    pub session: Option<Session>,
    /// How far it is.
    pub progress: Progress,
    /// What the installer said when it failed.
    pub error: Option<Value>,
    /// What an admin should know.
    pub remarks: VecDeque<Remark>,
}

/// One boot into the installer.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// The secret in its addresses.
    pub token: String,
    /// When it was handed out.
    pub begun: u64,
    /// When the installer said how it ended.
    pub ended: Option<u64>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session {{ token: ***, begun: {}, ended: {:?} }}", self.begun, self.ended)
    }
}

/// How far an installation is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The step under way, from 1.
    pub step: u64,
    /// How many there are.
    pub steps: u64,
    /// What it does.
    pub title: String,
    /// Bytes of the image fetched.
    pub done: u64,
    /// Bytes of the image.
    pub total: u64,
    /// Warnings so far.
    pub warnings: u64,
    /// The last thing said that is more than progress.
    pub message: String,
}

/// Something to know, with its time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remark {
    /// When.
    pub at: u64,
    /// What.
    pub text: String,
}

/// What a machine that asks for its boot script gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The installer, with this token.
    Install(String),
    /// Its own disk.
    Local,
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl Record {
    /// A machine that is unknown so far.
    pub fn new(id: &str, named: bool) -> Self {
        Record { id: id.to_owned(), named, ..Record::default() }
    }

    fn enter(&mut self, state: State, now: u64) {
        (self.state, self.since) = (state, now);
    }

    /// Adds a remark; the same one twice is one, with the later time.
    pub fn remark(&mut self, now: u64, text: impl Into<String>) {
        let text = text.into();
        self.remarks.retain(|remark| remark.text != text);
        self.remarks.push_back(Remark { at: now, text });
        while self.remarks.len() > REMARKS {
            self.remarks.pop_front();
        }
    }

    /// Allows one installation.
    pub fn arm(&mut self, now: u64, force: bool) -> Result<(), Refused> {
        if matches!(self.state, State::Booting | State::Installing) && !force {
            return Err(Refused(format!("{} is {} at this moment", self.id, self.state.word())));
        }
        (self.session, self.error, self.progress) = (None, None, Progress::default());
        self.enter(State::Armed, now);
        Ok(())
    }

    /// Takes the permission back.
    pub fn disarm(&mut self, now: u64) -> Result<(), Refused> {
        if self.state != State::Armed {
            return Err(Refused(format!("{} is not armed but {}", self.id, self.state.word())));
        }
        self.enter(State::Unknown, now);
        Ok(())
    }

    /// A machine asks for its boot script. `token` makes a new one.
    pub fn ask<E>(&mut self, now: u64, token: impl FnOnce() -> Result<String, E>) -> Result<Answer, E> {
        self.seen = Some(now);
        match (self.state, &self.session) {
            (State::Armed, _) => {
                let token = token()?;
                self.session = Some(Session { token: token.clone(), begun: now, ended: None });
                self.enter(State::Booting, now);
                Ok(Answer::Install(token))
            }
            (State::Booting, Some(session)) if now.saturating_sub(session.begun) <= GRACE => {
                Ok(Answer::Install(session.token.clone()))
            }
            (State::Booting, _) => {
                self.session = None;
                self.enter(State::Unknown, now);
                self.remark(
                    now,
                    "it asked for its boot script again without having fetched its kickstart; arm it again",
                );
                Ok(Answer::Local)
            }
            (State::Installing, _) => {
                self.remark(
                    now,
                    "it restarted while it was installing, and boots from its disk; arm it again if that fails",
                );
                Ok(Answer::Local)
            }
            _ => Ok(Answer::Local),
        }
    }

    /// The kickstart is asked for with the token of this session.
    pub fn fetch(&mut self, now: u64) -> Result<(), Refused> {
        let Some(session) = &self.session else { return Err(Refused("no installation is under way".to_owned())) };
        let age = now.saturating_sub(session.begun);
        match self.state {
            State::Booting if age <= FETCH_WITHIN => self.enter(State::Installing, now),
            State::Installing if age <= INSTALL_WITHIN => {}
            _ => return Err(Refused("its installation is over".to_owned())),
        }
        self.seen = Some(now);
        Ok(())
    }

    /// Whether the installer may report.
    pub fn may_report(&self, now: u64) -> bool {
        self.session.as_ref().is_some_and(|session| match session.ended {
            None => now.saturating_sub(session.begun) <= INSTALL_WITHIN,
            Some(ended) => now.saturating_sub(ended) <= LOG_WITHIN,
        })
    }

    /// The installer says where it is.
    pub fn report(&mut self, now: u64, state: State, error: Option<Value>) -> Result<(), Refused> {
        match (self.state, state) {
            (State::Booting | State::Installing, State::Installing) => {
                if self.state != State::Installing {
                    self.enter(State::Installing, now);
                }
            }
            (State::Booting | State::Installing, State::Installed | State::Failed) => {
                self.enter(state, now);
                self.error = error;
                if let Some(session) = &mut self.session {
                    session.ended = Some(now);
                }
            }
            // Sent again because the answer was lost.
            (old, new) if old == new => {}
            (old, new) => {
                let text = format!("it reported '{}' while it was {}", new.word(), old.word());
                self.remark(now, text.clone());
                return Err(Refused(text));
            }
        }
        self.seen = Some(now);
        Ok(())
    }

    /// One event of the installer, whose version may be another one.
    pub fn event(&mut self, now: u64, event: &Event) {
        self.seen = Some(now);
        let short = |text: &str| text.chars().take(LONGEST).collect();
        let progress = &mut self.progress;
        match event {
            Event::Started { steps, .. } => progress.steps = *steps as u64,
            Event::StepStarted { step, steps, title } => {
                (progress.step, progress.steps) = (*step as u64, *steps as u64);
                progress.title = short(title);
            }
            Event::Progress { done, total } => (progress.done, progress.total) = (done.0, total.0),
            Event::Warning { message } | Event::Retry { message, .. } => {
                progress.warnings += 1;
                progress.message = short(message);
            }
            Event::Failed { message, .. } => progress.message = short(message),
            // Lines of scripts may hold secrets, and are in the log. What a newer installer tells
            // and this server has no name for says at least that the machine is alive.
            Event::Output { .. } | Event::Other(_) => {}
            Event::Looking { .. }
            | Event::LayerRead { .. }
            | Event::StepFinished { .. }
            | Event::LayerStarted { .. }
            | Event::LayerFinished { .. }
            | Event::Finished { .. } => {}
        }
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
