//! Lists the users that a kickstart creates, and how each can log in:
//! `cargo run -p kickstart-parser --example users < site.ks`

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io::{self, Read};
use std::process::ExitCode;

use kickstart_parser::{Kickstart, ParseOptions, parse};

fn main() -> io::Result<ExitCode> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let parsed = parse(&text, "<stdin>", &ParseOptions::default());
    for finding in parsed.diagnostics.iter().filter(|d| d.is_error()) {
        eprintln!("{}", finding.resolve(&parsed.sources));
    }
    for user in &parsed.kickstart.users {
        let password = user.password.is_some() && !user.lock;
        println!("{}: {}", user.name, logins(password, keys(&parsed.kickstart, &user.name)));
    }
    Ok(if parsed.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn keys(kickstart: &Kickstart, user: &str) -> usize {
    kickstart.ssh_keys.iter().filter(|key| key.username == user).count()
}

fn logins(password: bool, keys: usize) -> String {
    match (password, keys) {
        (false, 0) => "no way to log in".to_owned(),
        (true, 0) => "password".to_owned(),
        (false, keys) => format!("{keys} SSH keys"),
        (true, keys) => format!("password, {keys} SSH keys"),
    }
}
