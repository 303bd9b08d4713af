//! `print!` and its relatives for this command. The standard ones panic when the reader has
//! hung up (`| head`, a connection that dropped), and an installation that is under way has
//! better things to do: what is not read is lost, and all else goes on. Standard output that
//! fails otherwise (a full file system) makes the command fail when it is done.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::Mutex;

use crate::colour;

static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

pub fn to_stdout(text: Arguments<'_>) {
    note(io::stdout().lock().write_fmt(text));
}

/// A text for people, with the kinds of its messages in colours where standard output takes them.
pub fn painted_to_stdout(text: &str) {
    let stdout = io::stdout();
    let painted = colour::on(&stdout).then(|| colour::paint(text));
    note(stdout.lock().write_all(painted.as_deref().unwrap_or(text).as_bytes()));
}

pub fn to_stderr(text: Arguments<'_>) {
    let stderr = io::stderr();
    // Where should it be told that this fails?
    let _ = match colour::on(&stderr) {
        true => stderr.lock().write_all(colour::paint(&text.to_string()).as_bytes()),
        false => stderr.lock().write_fmt(text),
    };
}

fn note(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
        && let Ok(mut failed) = FAILED.lock()
    {
        failed.get_or_insert(error);
    }
}

/// Writes out what waits; what went wrong with standard output since the beginning.
pub fn finish() -> Option<io::Error> {
    note(io::stdout().lock().flush());
    FAILED.lock().ok()?.take()
}

macro_rules! print {
    ($($text:tt)*) => { $crate::output::to_stdout(format_args!($($text)*)) };
}

macro_rules! println {
    () => { print!("\n") };
    ($($text:tt)*) => { $crate::output::to_stdout(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! eprint {
    ($($text:tt)*) => { $crate::output::to_stderr(format_args!($($text)*)) };
}

macro_rules! eprintln {
    () => { eprint!("\n") };
    ($($text:tt)*) => { $crate::output::to_stderr(format_args!("{}\n", format_args!($($text)*))) };
}
