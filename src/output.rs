//! `print!` and its relatives for this command. The standard ones panic when the reader has
//! hung up (`| head`, a connection that dropped), and an installation that is under way has
//! better things to do: what is not read is lost, and all else goes on. Standard output that
//! fails otherwise (a full file system) makes the command fail when it is done.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::Mutex;

static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

pub fn to_stdout(text: Arguments<'_>) {
    note(io::stdout().lock().write_fmt(text));
}

pub fn to_stderr(text: Arguments<'_>) {
    // Where should that be told?
    let _ = io::stderr().lock().write_fmt(text);
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
