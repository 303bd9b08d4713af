//! The first implementation itself, in a Python environment of its own.
//!
//! The environment is made once for each state of `requirements.txt`, below
//! the target directory, by the machine's own Python and pip settings. Where
//! that fails, the test fails.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::answer::Answer;
use super::case::{Case, Includes, Mode};

const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/oracle/requirements.txt");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/oracle/oracle.py");

/// A running process that answers questions.
pub struct Oracle {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    /// Start it.
    pub fn start() -> Oracle {
        // Once for a process: its tests run side by side.
        static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let started = PYTHON.get_or_init(environment).clone().and_then(|python| spawn(&python));
        started.unwrap_or_else(|why| panic!("nothing can be compared with pykickstart: {why}"))
    }

    /// The answers as they come, to questions that are sent meanwhile.
    pub fn ask_raw(&mut self, cases: &[Case]) -> Vec<Value> {
        let mut input = self.child.stdin.take().unwrap();
        let answers = std::thread::scope(|scope| {
            let writer = scope.spawn(move || {
                for case in cases {
                    writeln!(input, "{}", question(case)).unwrap();
                }
                input
            });
            let answers: Vec<Value> = cases.iter().map(|_| self.answer()).collect();
            (writer.join().unwrap(), answers)
        });
        self.child.stdin = Some(answers.0);
        answers.1
    }

    /// The answers to some questions.
    pub fn ask(&mut self, cases: &[Case]) -> Vec<Answer> {
        self.ask_raw(cases).iter().map(Answer::recorded).collect()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("the oracle ended, or answered {line:?}: {e}"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // The end of its input is the end of it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn question(case: &Case) -> Value {
    json!({
        "version": case.version.name(),
        "mode": match case.mode { Mode::Whole => "whole", Mode::Single => "single" },
        "text": case.text,
        "includes": match &case.includes { Includes::Files(files) => json!(files), Includes::Ignored => Value::Null },
        "unknown_section_is_error": case.unknown_section_is_error,
    })
}

fn spawn(python: &Path) -> Result<Oracle, String> {
    let mut child = Command::new(python)
        .arg(SCRIPT)
        // Messages as they are in the program; sets in one order.
        .env("LANGUAGE", "C")
        .env("PYTHONHASHSEED", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("running {}: {e}", python.display()))?;
    let answers = BufReader::new(child.stdout.take().ok_or("no output")?);
    Ok(Oracle { child, answers })
}

/// The Python of the environment, which is made if it is not there.
fn environment() -> Result<PathBuf, String> {
    let wanted = std::fs::read_to_string(REQUIREMENTS).map_err(|e| format!("reading {REQUIREMENTS}: {e}"))?;
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oracle-venv-{:016x}", hasher.finish()));
    let python = |place: &Path| place.join("bin/python");
    if python(&place).exists() {
        return Ok(python(&place));
    }
    // Made aside and put in place whole: another process may be doing the same.
    let aside = place.with_extension(std::process::id().to_string());
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(&aside)).and_then(|()| {
        let mut pip = Command::new(python(&aside));
        run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]))
    });
    if made.is_ok() && std::fs::rename(&aside, &place).is_ok() {
        return Ok(python(&place));
    }
    let _ = std::fs::remove_dir_all(&aside);
    match made {
        Err(why) => Err(format!("{why}\n(it needs python3 with venv, and a package index that pip can reach)")),
        Ok(()) if python(&place).exists() => Ok(python(&place)),
        Ok(()) => Err(format!("putting {} in its place", aside.display())),
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{shown}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{shown}: {}\n{}", output.status, String::from_utf8_lossy(&said).trim_end()))
}
