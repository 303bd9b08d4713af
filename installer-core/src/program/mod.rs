//! External programs as values: the table of all of them, and one way to write a command down.
//! Pure: looking for a program and running it is [`host`](crate::host)'s.

mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::units::Secret;

pub use table::{IN_IMAGE, OSTREE_PROGRAM, PROGRAMS, Row, row};

/// A command: what to run, with what. Its text is what the preview shows and the log keeps,
/// so a secret travels by `stdin` and is not part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The program's name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it reads.
    pub stdin: Option<Secret>,
    /// Environment added to a clean one.
    pub env: Vec<(String, String)>,
    /// The system that it is a program of, if that is not this machine's.
    pub cage: Option<Cage>,
    /// Whether it goes on when this process is killed: what it has begun, it alone can undo.
    pub outlives: bool,
    /// How long it may take.
    pub time_limit: Option<Duration>,
}

/// Where a program of an image runs, and what it sees of the machine beside that system: nothing, unless
/// it is said here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cage {
    /// The system's root.
    pub root: PathBuf,
    /// Block devices of the machine.
    pub devices: Vec<PathBuf>,
    /// Whether it may use the network.
    pub network: bool,
    /// Whether it may mount something, within the cage.
    pub mounts: bool,
    /// Whether it may make device nodes, which it cannot open.
    pub nodes: bool,
}

impl Program {
    /// The program `name` without arguments.
    pub fn new(name: impl Into<String>) -> Self {
        Program {
            name: name.into(),
            args: Vec::new(),
            stdin: None,
            env: Vec::new(),
            cage: None,
            outlives: false,
            time_limit: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String> + Clone>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to its environment.
    #[must_use]
    pub fn env(mut self, key: &str, value: impl Into<String>) -> Self {
        self.env.push((key.to_owned(), value.into()));
        self
    }

    /// The same, run inside the system whose root is `root`.
    #[must_use]
    pub fn inside(mut self, root: &Path) -> Self {
        let root = root.to_owned();
        self.cage = Some(Cage { root, devices: Vec::new(), network: false, mounts: false, nodes: false });
        self
    }

    /// Where it runs inside a system: with more than that.
    #[must_use]
    pub fn with(mut self, more: impl FnOnce(&mut Cage)) -> Self {
        if let Some(cage) = &mut self.cage {
            more(cage);
        }
        self
    }
}

impl fmt::Display for Program {
    /// As one would type it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cage) = &self.cage {
            write!(f, "chroot {} ", quote(&cage.root.display().to_string()))?;
        }
        f.write_str(&quote(&self.name))?;
        for arg in &self.args {
            write!(f, " {}", quote(arg))?;
        }
        Ok(())
    }
}

/// `text` in single quotes where a shell would need them.
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+<>".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.contains(['<', '>']) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
