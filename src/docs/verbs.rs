//! The command line as the pages see it: its verbs, and how they are typed.

use clap::Command;

/// `command` as all pages show it.
pub fn whole(command: &Command) -> Command {
    let mut whole = command
        .clone()
        .disable_help_subcommand(true)
        // The default is the architecture of the machine that makes the pages.
        .mut_subcommands(|verb| match verb.get_name() {
            "inspect" => verb.mut_arg("arch", |arch| arch.hide_default_value(true)),
            _ => verb,
        });
    whole.build();
    whole
}

/// The verbs of `command` that people type.
pub fn verbs(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
}

/// The words of `verb` behind the name of the command: `iso build`.
pub fn words(verb: &Command) -> &str {
    let name = verb.get_bin_name().unwrap_or_default();
    name.split_once(' ').map_or("", |(_, words)| words)
}
