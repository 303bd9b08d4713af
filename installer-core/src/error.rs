//! The one error of this crate: what failed, in which stage, what to do about it, and the
//! exit code that an operator needs.

mod remedy;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::printable::printable;

pub use remedy::{BootPlace, Remedy, Words};

/// What kind of trouble it is. Together with [`Error::touched`] it decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What was asked for is wrong: the kickstart, an argument, a reference.
    Input,
    /// The world lacks something: network, registry, image, tool, disk, memory.
    World,
    /// A safety rule forbids it.
    Refused,
    /// It should have worked and did not.
    Failed,
    /// The caller cancelled it.
    Cancelled,
}

/// Which part of an installation was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reading and understanding the kickstart.
    Request,
    /// Looking at this machine.
    Probe,
    /// Looking at the image.
    Resolve,
    /// Deciding what to do.
    Plan,
    /// Partitions, volumes, file systems, mounts.
    Storage,
    /// Fetching and importing the image.
    Image,
    /// Deploying it.
    Deploy,
    /// The boot loader.
    Bootloader,
    /// Users, locale, host name and the rest of the system's configuration.
    System,
    /// The kickstart's own scripts.
    Script,
    /// Unmounting, flushing and leaving.
    Finish,
    /// Making or changing what an installer boots from.
    Media,
}

/// A failure with its kind, its stage, a sentence and, where there is one, a remedy.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    stage: Stage,
    message: String,
    hint: Option<Remedy>,
    touched: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind` in `stage`.
    pub fn new(kind: Kind, stage: Stage, message: impl Into<String>) -> Self {
        Error { kind, stage, message: message.into(), hint: None, touched: false, source: None }
    }

    /// The input is wrong.
    pub fn input(stage: Stage, message: impl Into<String>) -> Self {
        Error::new(Kind::Input, stage, message)
    }

    /// The world lacks something.
    pub fn world(stage: Stage, message: impl Into<String>) -> Self {
        Error::new(Kind::World, stage, message)
    }

    /// A safety rule forbids it.
    pub fn refused(stage: Stage, message: impl Into<String>) -> Self {
        Error::new(Kind::Refused, stage, message)
    }

    /// It should have worked.
    pub fn failed(stage: Stage, message: impl Into<String>) -> Self {
        Error::new(Kind::Failed, stage, message)
    }

    /// The caller cancelled it.
    pub fn cancelled(stage: Stage) -> Self {
        Error::new(Kind::Cancelled, stage, "cancelled")
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Remedy>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts what was being done (lower case, gerund: "reading the manifest of …") in front.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// Says that the disk had been written to when this happened.
    #[must_use]
    pub fn after_touching(mut self) -> Self {
        self.touched = true;
        self
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The stage.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The remedy, where there is one.
    pub fn remedy(&self) -> Option<&Remedy> {
        self.hint.as_ref()
    }

    /// Whether the disk had been written to.
    pub fn touched(&self) -> bool {
        self.touched
    }

    /// 1 failed with the disk touched, 2 bad input, 3 the world lacks something, 4 refused or
    /// cancelled; 2 to 4 promise an untouched disk. A failure before the first write counts as 3.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            _ if self.touched => 1,
            Kind::Input => 2,
            Kind::World | Kind::Failed => 3,
            Kind::Refused | Kind::Cancelled => 4,
        }
    }
}

impl fmt::Display for Error {
    /// The sentence and every cause underneath, on one line. Some of it came from outside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.message))?;
        let mut cause = self.source.as_deref().map(|e| e as &dyn std::error::Error);
        let mut last = self.message.clone();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many crates repeat their cause in their own text; say it once.
            if !last.contains(&text) {
                write!(f, ": {}", printable(&text))?;
            }
            last = text;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Turns any error into ours with a stage and what was being done.
pub trait Context<T> {
    /// Fails with [`Kind::Failed`], saying what was being `doing` ("writing /etc/fstab").
    fn doing(self, stage: Stage, doing: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<Box<dyn std::error::Error + Send + Sync>>> Context<T> for std::result::Result<T, E> {
    fn doing(self, stage: Stage, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|error| {
            let error: Box<dyn std::error::Error + Send + Sync> = error.into();
            match error.downcast::<Error>() {
                Ok(ours) => ours.context(doing),
                Err(other) => Error::failed(stage, doing.to_string()).because(other),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_the_operators() {
        assert_eq!(Error::input(Stage::Request, "x").exit_code(), 2);
        assert_eq!(Error::world(Stage::Resolve, "x").exit_code(), 3);
        assert_eq!(Error::refused(Stage::Plan, "x").exit_code(), 4);
        assert_eq!(Error::world(Stage::Image, "x").after_touching().exit_code(), 1);
    }

    #[test]
    fn causes_are_told_once() {
        let inner = std::io::Error::other("no route");
        let error = Error::world(Stage::Resolve, "asking the registry").because(inner);
        assert_eq!(error.to_string(), "asking the registry: no route");
    }

    #[test]
    fn our_own_error_keeps_its_kind_under_context() {
        let inner: Result<()> = Err(Error::input(Stage::Plan, "no disk").hint("add one"));
        let outer = inner.doing(Stage::Storage, "choosing a disk").unwrap_err();
        assert_eq!((outer.kind(), outer.remedy()), (Kind::Input, Some(&"add one".into())));
        assert_eq!(outer.to_string(), "choosing a disk: no disk");
    }
}
