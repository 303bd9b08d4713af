//! The manual pages: one for the command, one for each verb, and for each verb of a verb.

use std::path::PathBuf;

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;

/// Every page with its file name.
pub fn pages(command: &Command) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut command = command
        .clone()
        .disable_help_subcommand(true)
        // The architecture of the machine that makes the pages.
        .mut_subcommand("inspect", |inspect| inspect.mut_arg("arch", |arch| arch.hide_default_value(true)));
    command.build();
    let name = command.get_name().to_owned();
    let mut list = Vec::new();
    with_verbs(&command, &name, &mut list)?;
    Ok(list)
}

/// The page of `command`, called `name`, and those of the verbs below it.
fn with_verbs(command: &Command, name: &str, list: &mut Vec<(PathBuf, String)>) -> anyhow::Result<()> {
    list.push(page(command, name)?);
    let mut verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help");
    verbs.try_for_each(|verb| with_verbs(verb, &format!("{name}-{}", verb.get_name()), list))
}

fn page(command: &Command, name: &str) -> anyhow::Result<(PathBuf, String)> {
    let doing = || format!("writing the manual page of {name}");
    let mut page = Vec::new();
    let man = Man::new(command.clone()).title(name.to_uppercase()).section("1").date("").manual("bootc-ks");
    man.render(&mut page).with_context(doing)?;
    let text = String::from_utf8(page).with_context(doing)?;
    Ok((PathBuf::from(format!("{name}.1")), text))
}
