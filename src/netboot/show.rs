//! `bootc-ks netboot show`: all that is known of one machine.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::Value;

use super::client::{Client, STATE, ago, segment};
use super::list::Format;

/// Show what a running server knows of a machine.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name in machines.toml, network address, UUID or serial number
    #[arg(value_name = "MACHINE")]
    machine: String,

    /// The log that its installer sent instead, which may hold secrets
    #[arg(long)]
    log: bool,

    /// The file of the running server
    #[arg(long, value_name = "FILE", default_value = STATE)]
    state: PathBuf,

    /// The form of the output
    #[arg(long, value_enum, default_value = "text", conflicts_with = "log")]
    format: Format,
}

/// Shows it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let client = Client::new(&args.state)?;
    let path = format!("/v1/machines/{}", segment(&args.machine));
    let out = if args.log {
        client.text(&format!("{path}/log"))?
    } else {
        let answer = client.get(&path)?;
        match args.format {
            Format::Text => text(&answer),
            Format::Json => serde_json::to_string_pretty(&answer).context("writing the machine")? + "\n",
        }
    };
    print!("{out}");
    Ok(ExitCode::SUCCESS)
}

fn text(answer: &Value) -> String {
    let (machine, now) = (&answer["machine"], answer["now"].as_u64().unwrap_or(0));
    let mut out = String::new();
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{:12}{}", format!("{name}:"), value.replace(char::is_control, " "));
        }
    };
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    row("Machine", word(&machine["id"]));
    row("Address", word(&machine["mac"]));
    row("UUID", word(&machine["uuid"]));
    row("Serial", word(&machine["serial"]));
    let since = machine["since"].as_u64().filter(|since| *since > 0);
    let since = since.map(|since| format!(", for {}", ago(now, Some(since)))).unwrap_or_default();
    row("State", word(&machine["state"]) + &since);
    let seen = machine["seen"].as_u64();
    row("Seen", seen.map(|seen| format!("{} ago", ago(now, Some(seen)))).unwrap_or_default());
    let progress = &machine["progress"];
    if progress["steps"].as_u64().unwrap_or(0) > 0 {
        row("Step", format!("{} of {}, {}", progress["step"], progress["steps"], word(&progress["title"])));
    }
    row("Said", word(&progress["message"]));
    row("Error", word(&machine["error"]["message"]));
    row("Hint", word(&machine["error"]["hint"]));
    for remark in machine["remarks"].as_array().map_or(&[][..], Vec::as_slice) {
        row("Remark", format!("{} ({} ago)", word(&remark["text"]), ago(now, remark["at"].as_u64())));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_known_is_left_out() {
        let text = text(&json!({"now": 1000, "machine": {
            "id": "web-1", "mac": "52:54:00:00:00:01", "state": "failed", "since": 900, "seen": 990,
            "progress": {"step": 2, "steps": 20, "title": "write a GPT", "message": ""},
            "error": {"message": "no disk", "hint": "add\none"}, "remarks": [{"at": 950, "text": "asked twice"}],
        }}));
        let expected = "Machine:    web-1\nAddress:    52:54:00:00:00:01\nState:      failed, for 1 min\n\
            Seen:       10 s ago\nStep:       2 of 20, write a GPT\nError:      no disk\nHint:       add one\n\
            Remark:     asked twice (50 s ago)\n";
        assert_eq!(text, expected);
    }
}
