//! The command under test: run as an operator runs it, and asked how it went.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// What became of one run of the command.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its arguments, for messages.
    pub args: Vec<String>,
    /// Its number as a process.
    pub pid: u32,
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// The command, in `dir`, cut off from this machine's own registry logins.
pub fn bootc_ks(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootc-ks"));
    command.current_dir(dir).env("HOME", dir).stdin(Stdio::null());
    for variable in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "BOOTC_KS_LOG", "DOCKER_CONFIG"] {
        command.env_remove(variable);
    }
    command
}

/// Runs the command in `dir`.
pub fn run_in(dir: &Path, args: &[&str]) -> Outcome {
    finish(bootc_ks(dir).args(args))
}

/// Runs a command that [`bootc_ks`] made to its end.
pub fn finish(command: &mut Command) -> Outcome {
    wait(start(command), command)
}

/// Starts a command whose output [`wait`] will have.
pub fn start(command: &mut Command) -> Child {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.spawn().unwrap_or_else(|error| panic!("starting {piped:?}: {error}"))
}

/// Waits for the end of what [`start`] has made of `command`.
pub fn wait(child: Child, command: &Command) -> Outcome {
    let pid = child.id();
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("waiting for {command:?}: {error}"));
    Outcome {
        args: command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect(),
        pid,
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Outcome {
    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "wrong exit code of\n{self}");
        self
    }

    /// Asserts that standard error has each of `words` (`this|or that`), whatever way its lines
    /// are broken.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        let text = self.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(word.split('|').any(|word| text.contains(word)), "`{word}` was not said by\n{self}");
        }
        self
    }

    /// Asserts that exactly one error was told, the way errors are told.
    #[track_caller]
    pub fn one_error(self) -> Self {
        let errors = self.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "not one error but {errors} in\n{self}");
        for mess in ["panicked", "RUST_BACKTRACE", "Error {", "Some("] {
            assert!(!self.stderr.contains(mess), "`{mess}` is nothing to tell an operator:\n{self}");
        }
        self
    }

    /// Asserts that none of `secrets` was told on either stream.
    #[track_caller]
    pub fn keeps(self, secrets: &[&str]) -> Self {
        for secret in secrets {
            assert!(!self.stdout.contains(secret) && !self.stderr.contains(secret), "`{secret}` was told by\n{self}");
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}) from\n{self}"))
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "bootc-ks {} (exit code {})", self.args.join(" "), self.code)?;
        write!(f, "--- stdout ---\n{}--- stderr ---\n{}---", self.stdout, self.stderr)
    }
}
