//! `bootc-ks status` and `bootc-ks verify`: the record of an installation, shown, and held against the
//! system that it is of.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use installer_core::record::{self, About, Difference, Findings, Installed, PasswordState, Record, UnitState};
use installer_core::{Error, Stage};
use serde_json::Value;

/// Which system.
#[derive(Debug, clap::Args)]
struct WhereArgs {
    /// Look at the system that is mounted here, as it sees itself or by the root of its disk, in place of
    /// the running one
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Show the record.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 done; 2 bad input; 3 there is no record.")]
pub struct StatusArgs {
    #[command(flatten)]
    at: WhereArgs,
}

/// Hold it against the system.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Compared are users and groups, keys that let users in, units, files, kernel arguments and the \
    image. Content with a secret in it is not: the record has no digest of it. Nothing is changed.\n\n\
    Exit codes: 0 all is as it was left; 1 something differs; 2 bad input; 3 there is no record."
)]
pub struct VerifyArgs {
    #[command(flatten)]
    at: WhereArgs,
}

impl WhereArgs {
    fn open(&self) -> Result<(Installed, Record), Error> {
        let opened = match &self.root {
            Some(root) => Installed::below(root).map_err(|error| unusable(root, error)),
            None => Installed::running()
                .map_err(|error| Error::world(Stage::Request, "looking at this system").because(error)),
        };
        let system = opened?;
        let record = record::read(&system)?;
        Ok((system, record))
    }
}

fn unusable(root: &Path, error: std::io::Error) -> Error {
    Error::input(Stage::Request, format!("{} is no installed system", root.display()))
        .because(error)
        .hint("mount the root file system of its disk there, and /boot in it where that is one of its own")
}

/// Shows it.
pub fn status(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let (_, record) = args.at.open()?;
    if args.at.json {
        println!("{}", serde_json::to_string_pretty(&record)?);
    } else {
        print!("{}", text(&record));
    }
    Ok(ExitCode::SUCCESS)
}

/// Compares.
pub fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let (system, record) = args.at.open()?;
    let found = record::verify(&record, &system);
    if args.at.json {
        let document = serde_json::json!({"schema": 1, "differences": found.differences, "unseen": found.unseen});
        println!("{}", serde_json::to_string_pretty(&document)?);
    } else {
        tell(&record, &found);
    }
    Ok(if found.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(record: &Record, found: &Findings) {
    for reason in &found.unseen {
        eprintln!("note: not compared: {reason}");
    }
    for difference in &found.differences {
        println!("{}", line(difference));
    }
    match found.differences.len() {
        0 => println!("All that was looked at is as the installation of {} left it.", record.installed),
        1 => println!("1 difference since the installation of {}.", record.installed),
        many => println!("{many} differences since the installation of {}.", record.installed),
    }
}

/// One difference as a sentence.
fn line(difference: &Difference) -> String {
    let Difference { about, name, field, recorded, found } = difference;
    let what = match about {
        About::User => "user",
        About::Group => "group",
        About::SshKeys => "ssh keys of",
        About::Unit => "unit",
        About::File => "file",
        About::KernelArguments => {
            return if found.is_null() {
                format!("kernel argument {name} is gone")
            } else {
                format!("kernel argument {name} is new")
            };
        }
        About::Image => "image",
    };
    match field {
        Some(field) => format!("{what} {name}: {field} is {}, was {}", said(found), said(recorded)),
        None => format!("{what} {name} is gone"),
    }
}

/// A value for people.
fn said(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) if text.is_empty() => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "nothing".to_owned(),
        Value::Array(list) => list.iter().map(said).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn text(record: &Record) -> String {
    let seconds = record.steps.iter().map(|step| step.millis).sum::<u64>() as f64 / 1000.0;
    let version = |name: &str| record.versions.get(name).map_or("-", String::as_str).to_owned();
    let mut rows = vec![
        ("Installed", format!("{} in {seconds:.1} s, by bootc-ks {}", record.installed, version("bootc-ks"))),
        ("System", version("system")),
        ("Kernel", version("kernel")),
        ("Image", record.image.source.clone()),
        ("Digest", record.image.digest.to_string()),
        ("Commit", record.image.commit.clone()),
        ("Updates", record.image.updates_from.clone()),
        ("Kickstart", record.kickstart.as_ref().map_or("-".to_owned(), ToString::to_string)),
        ("Plan", record.plan.to_string()),
        ("Target", record.target.clone()),
    ];
    rows.extend(record.disks.iter().map(|disk| {
        let serial = disk.serial.as_ref().map(|serial| format!("serial {serial}"));
        let parts = [Some(disk.stable.clone()), Some(disk.size.to_string()), disk.model.clone(), serial];
        ("Disk", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }));
    rows.push(("Kernel args", record.kargs.join(" ")));
    rows.extend(record.groups.iter().map(|group| ("Group", format!("{}, id {}", group.name, group.gid))));
    rows.extend(record.users.iter().map(|user| ("User", about_user(user))));
    rows.extend(
        record.ssh_keys.iter().map(|keys| ("SSH keys", format!("{}: {}", keys.user, keys.fingerprints.join(" ")))),
    );
    rows.extend(record.units.iter().map(|unit| {
        let state = match unit.state {
            UnitState::Enabled => "enabled",
            UnitState::Disabled => "disabled",
            UnitState::Masked => "masked",
        };
        ("Unit", format!("{} {state}", unit.unit))
    }));
    rows.extend(record.files.iter().map(|file| ("File", file.path.clone())));
    rows.extend(record.warnings.iter().map(|warning| ("Warning", warning.clone())));
    let mut last = "";
    let mut out = String::new();
    for (name, value) in rows {
        let label = if name == last { String::new() } else { format!("{name}:") };
        last = name;
        out.push_str(&format!("{label:<14}{}\n", value.replace('\n', " ")));
    }
    out
}

fn about_user(user: &record::User) -> String {
    let password = match user.password {
        PasswordState::Set => "a password",
        PasswordState::Locked => "locked",
        PasswordState::None => "no password",
        PasswordState::Empty => "open without a password",
    };
    let groups = if user.groups.is_empty() { String::new() } else { format!(", in {}", user.groups.join(" ")) };
    format!("{}, id {}{groups}, {}, {password}", user.name, user.uid, user.shell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_sentence() {
        let difference = |about, field: Option<&str>, recorded: Value, found: Value| Difference {
            about,
            name: "x".into(),
            field: field.map(str::to_owned),
            recorded,
            found,
        };
        for (difference, expected) in [
            (difference(About::User, Some("uid"), 1.into(), 2.into()), "user x: uid is 2, was 1"),
            (
                difference(
                    About::User,
                    Some("groups"),
                    Value::Array(vec!["a".into(), "b".into()]),
                    Value::Array(vec![]),
                ),
                "user x: groups is nothing, was a b",
            ),
            (difference(About::File, None, 1.into(), Value::Null), "file x is gone"),
            (difference(About::KernelArguments, None, Value::Null, "x".into()), "kernel argument x is new"),
            (difference(About::KernelArguments, None, "x".into(), Value::Null), "kernel argument x is gone"),
        ] {
            assert_eq!(line(&difference), expected);
        }
    }
}
