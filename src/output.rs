//! `print!` and its relatives for this command. The standard ones panic when the reader has
//! hung up (`| head`, a connection that dropped), and an installation that is under way has
//! better things to do: what is not read is lost, and all else goes on. Standard output that
//! fails otherwise (a full file system) makes the command fail when it is done.
//!
//! All that is said passes here, so that no registry, image or kickstart speaks to a terminal:
//! control characters are shown in place of sent.

use std::borrow::Cow;
use std::fmt::Arguments;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::Mutex;

use installer_core::printable::printable;

use crate::colour;

static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Text for people, or a document of ours: what came from outside in it is shown, not obeyed.
pub fn to_stdout(text: Arguments<'_>) {
    let (stdout, text) = (io::stdout(), text.to_string());
    note(stdout.lock().write_all(clean(&text, colour::on(&stdout)).as_bytes()));
}

/// What was asked for byte for byte, such as a kickstart. On a terminal it is text like any other.
pub fn data_to_stdout(text: Arguments<'_>) {
    if io::stdout().is_terminal() {
        return to_stdout(text);
    }
    note(io::stdout().lock().write_fmt(text));
}

/// A text for people, with the kinds of its messages in colours where standard output takes them.
pub fn painted_to_stdout(text: &str) {
    let stdout = io::stdout();
    let text = clean(text, false);
    let painted = colour::on(&stdout).then(|| colour::paint(&text));
    note(stdout.lock().write_all(painted.as_deref().unwrap_or(&text).as_bytes()));
}

pub fn to_stderr(text: Arguments<'_>) {
    let (stderr, text) = (io::stderr(), text.to_string());
    let coloured = colour::on(&stderr);
    let text = clean(&text, coloured);
    let painted = coloured.then(|| colour::paint(&text));
    // Where should it be told that this fails?
    let _ = stderr.lock().write_all(painted.as_deref().unwrap_or(&text).as_bytes());
}

/// [`printable`], but for the colours that diagnostics have where colours are wanted.
fn clean(text: &str, coloured: bool) -> Cow<'_, str> {
    if !coloured || !text.contains('\x1b') {
        return printable(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        clean.push_str(&printable(&rest[..at]));
        let length = colour_at(&rest[at..]).max(1);
        let (sequence, after) = rest[at..].split_at(length);
        clean.push_str(&if length > 1 { Cow::Borrowed(sequence) } else { printable(sequence) });
        rest = after;
    }
    clean.push_str(&printable(rest));
    Cow::Owned(clean)
}

/// How long the colour is that `text` begins with; 0 if it is none. What hides text is none.
fn colour_at(text: &str) -> usize {
    let Some((numbers, _)) = text.strip_prefix("\x1b[").and_then(|rest| rest.split_once('m')) else { return 0 };
    let shows = |number: &str| number.is_empty() || number.parse::<u8>().is_ok_and(|number| number != 8);
    if numbers.split(';').all(shows) { numbers.len() + 3 } else { 0 }
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

macro_rules! print_data {
    ($($text:tt)*) => { $crate::output::data_to_stdout(format_args!($($text)*)) };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_pass_to_a_terminal_and_nothing_else_does() {
        let text = "\x1b[1;31merror\x1b[0m: \x1b]0;owned\x07 \x1b[2J \x1b[8mhidden \x1b[m\x1b";
        assert_eq!(
            clean(text, true),
            "\x1b[1;31merror\x1b[0m: \\u001b]0;owned\\u0007 \\u001b[2J \\u001b[8mhidden \x1b[m\\u001b"
        );
        assert!(!clean(text, false).contains('\x1b'));
    }
}
