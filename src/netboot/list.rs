//! `bootc-ks netboot list`: every machine in a line.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::Value;

use super::client::{Client, STATE, ago, last_word};

/// List the machines of a running server.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file of the running server
    #[arg(long, value_name = "FILE", default_value = STATE)]
    state: PathBuf,

    /// Only machines in this state
    #[arg(long, value_name = "STATE",
        value_parser = ["unknown", "armed", "booting", "installing", "installed", "failed"])]
    only: Option<String>,

    /// The form of the output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// The form of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
}

/// Lists them.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut list = Client::new(&args.state)?.get("/v1/machines")?;
    if let (Some(only), Some(machines)) = (&args.only, list["machines"].as_array_mut()) {
        machines.retain(|machine| machine["state"] == only.as_str());
    }
    let out = match args.format {
        Format::Text => text(&list),
        Format::Json => serde_json::to_string_pretty(&list).context("writing the list")? + "\n",
    };
    print!("{out}");
    if let Some(problem) = list["problem"].as_str() {
        eprintln!("warning: {problem}");
    }
    Ok(ExitCode::SUCCESS)
}

fn text(list: &Value) -> String {
    let machines = list["machines"].as_array().map_or(&[][..], Vec::as_slice);
    let now = list["now"].as_u64().unwrap_or(0);
    let id = |machine: &Value| machine["id"].as_str().unwrap_or_default().to_owned();
    let width = machines.iter().map(|machine| id(machine).len()).max().unwrap_or(0).max(7);
    let mut out = format!("{:width$}  {:10}  {:>5}  {:>7}  LAST WORD\n", "MACHINE", "STATE", "STEP", "SINCE");
    for machine in machines {
        let state = machine["state"].as_str().unwrap_or_default();
        let (step, steps) = (&machine["progress"]["step"], &machine["progress"]["steps"]);
        let step = if steps == 0 || steps.is_null() { "-".to_owned() } else { format!("{step}/{steps}") };
        let since = ago(now, machine["since"].as_u64());
        // Writing to a String cannot fail.
        let line = format!("{:width$}  {state:10}  {step:>5}  {since:>7}  {}", id(machine), last_word(machine));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_machine_is_a_line() {
        let list = json!({"now": 1000, "machines": [
            {"id": "web-1", "state": "installing", "since": 940, "progress": {"step": 9, "steps": 20, "title": "import"}},
            {"id": "52:54:00:00:00:01", "state": "unknown", "since": 0, "progress": {"step": 0, "steps": 0}},
        ]});
        let text = text(&list);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "web-1              installing   9/20     60 s  import");
        assert_eq!(lines[2], "52:54:00:00:00:01  unknown         -        -");
    }
}
