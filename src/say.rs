//! `print!` and its relatives for this command. The standard ones panic when whoever reads has
//! hung up (`| head`, a connection that dropped), and an installation that is under way has
//! better things to do: what nobody reads is lost, and all else goes on.

use std::fmt::Arguments;
use std::io::Write;

pub fn to_stdout(text: Arguments<'_>) {
    let _ = std::io::stdout().lock().write_fmt(text);
}

pub fn to_stderr(text: Arguments<'_>) {
    let _ = std::io::stderr().lock().write_fmt(text);
}

macro_rules! print {
    ($($text:tt)*) => { $crate::say::to_stdout(format_args!($($text)*)) };
}

macro_rules! println {
    () => { print!("\n") };
    ($($text:tt)*) => { $crate::say::to_stdout(format_args!("{}\n", format_args!($($text)*))) };
}

macro_rules! eprint {
    ($($text:tt)*) => { $crate::say::to_stderr(format_args!($($text)*)) };
}

macro_rules! eprintln {
    () => { eprint!("\n") };
    ($($text:tt)*) => { $crate::say::to_stderr(format_args!("{}\n", format_args!($($text)*))) };
}
