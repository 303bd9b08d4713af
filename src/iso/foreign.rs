//! ISOs of other installers: shown, and customised in a copy.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use installer_core::host::Real;
use installer_core::{Error, Stage};
use isolinux::replay::{CopyJob, copy};
use isolinux::{Foreign, Menu};
use pxe::custom::Custom;
use serde_json::{Value, json};

use super::arguments::CustomizeArgs as Args;
use super::table::{self, table};

/// Writes a customised copy and says so.
pub fn customize(iso: Foreign, args: &Args, custom: &Custom) -> anyhow::Result<ExitCode> {
    let output = output(args)?;
    let name = args.iso.display();
    if !args.custom.ca.is_empty() {
        return Err(Error::input(
            Stage::Media,
            format!("{name} was not made by 'bootc-ks iso build', and its installer has no place for --ca"),
        )
        .hint("put the certificate into the kickstart, in a %certificate section")
        .into());
    }
    if custom.kickstart.is_some() && iso.kickstart.is_some() && !args.force {
        return Err(Error::refused(Stage::Media, format!("{name} has a /ks.cfg already"))
            .hint("--force puts this in place of what is there")
            .into());
    }
    let volume = one_line(&iso.volume);
    let job = CopyJob {
        iso: &args.iso,
        foreign: iso,
        kickstart: custom.kickstart.as_deref(),
        kargs: &args.custom.karg,
        output,
    };
    let copied = copy(job, &Real).map_err(|error| error.context(name))?;
    eprintln!("{}: customised, volume {volume}", output.display());
    for menu in &copied.menus {
        eprintln!("  changed {}", place(menu));
    }
    if !copied.checksum_good {
        eprintln!(
            "warning: the check of the medium that its menu offers will fail; to have it renewed install isomd5sum"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the copy goes.
fn output(args: &Args) -> anyhow::Result<&Path> {
    let name = args.iso.display();
    let (message, hint) = match args.output.as_deref() {
        Some(output) if output != Path::new("-") => return Ok(output),
        Some(_) => ("its copy cannot go to standard output", "name a file: --output FILE"),
        None => ("it cannot be changed in place", "have a customised copy written: --output FILE"),
    };
    Err(Error::input(Stage::Media, format!("{name} was not made by 'bootc-ks iso build': {message}")).hint(hint).into())
}

/// Why there is nothing to reset.
pub fn no_reset(iso: &Foreign, path: &Path) -> anyhow::Error {
    let label = iso.volume.escape_debug();
    let message = format!("{}: the volume '{label}' was not made by 'bootc-ks iso build'", path.display());
    Error::input(Stage::Media, message)
        .hint("it was customised in a copy, if at all: start again from the original")
        .into()
}

/// What is on it, for programs and for people.
pub fn show(mut iso: Foreign, file: &mut File) -> (Value, String) {
    let unread = iso.look_into_partitions(file, &Real).err().map(|error| error.to_string());
    let kickstart = table::kickstart(iso.kickstart.as_deref());
    let menus = iso.menus.iter().map(|menu| {
        json!({
            "path": menu.path,
            "in": if menu.in_partition { "efi-partition" } else { "iso" },
            "kargs": menu.arguments().map(one_line).collect::<Vec<_>>(),
        })
    });
    let json = json!({
        "schema": 1,
        "volume": iso.volume,
        "state": "foreign",
        "menus": menus.collect::<Vec<_>>(),
        "not_read": unread,
        "kickstart": kickstart,
    });
    (json, text(&iso, unread, kickstart))
}

fn text(iso: &Foreign, unread: Option<String>, kickstart: Option<String>) -> String {
    let mut rows = vec![
        ("Volume", one_line(&iso.volume)),
        ("State", "not made by 'bootc-ks iso build'; 'iso customize' makes a copy of it".to_owned()),
    ];
    for menu in &iso.menus {
        rows.push(("Menu", place(menu)));
        rows.extend(menu.arguments().map(|arguments| ("", format!("  {}", one_line(arguments)))));
    }
    if iso.menus.is_empty() {
        rows.push(("Menu", "none was found".to_owned()));
    }
    rows.extend(unread.map(|error| ("Not read", format!("menus in its EFI system partition: {error}"))));
    table(rows, kickstart)
}

fn place(menu: &Menu) -> String {
    let path = one_line(&menu.path);
    if menu.in_partition { format!("{path} in the EFI system partition") } else { path }
}

/// Another tool's text, without control characters.
fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
