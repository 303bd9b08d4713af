//! `bootc-ks completions`: what makes a shell complete this command's verbs and options. The
//! script is made from the arguments themselves, so it cannot lag behind them.

use std::process::ExitCode;

use clap::Command;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;
use kickstart_parser::Syntax;

use crate::explain;

/// Print the completion script of a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Packages and 'make install' put the scripts where shells look for them. By hand:\n\n\
    bash: bootc-ks completions bash > ~/.local/share/bash-completion/completions/bootc-ks\n\n\
    fish: bootc-ks completions fish > ~/.config/fish/completions/bootc-ks.fish\n\n\
    zsh: bootc-ks completions zsh > DIR/_bootc-ks, where DIR is one of $fpath\n\n\
    Exit codes: 0 done; 2 there is no such shell.")]
pub struct Args {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Supported,
}

/// The shells whose scripts the tests run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Supported {
    /// GNU Bash
    Bash,
    /// The Z shell
    Zsh,
    /// The friendly interactive shell
    Fish,
}

/// Prints the script for `command`, the whole command line.
pub fn run(args: &Args, command: &Command) -> ExitCode {
    let shell = match args.shell {
        Supported::Bash => Shell::Bash,
        Supported::Zsh => Shell::Zsh,
        Supported::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut visible(command), command.get_name(), &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if args.shell == Supported::Bash {
        correct_labels(command, &mut script);
    }
    print!("{script}");
    ExitCode::SUCCESS
}

/// clap_complete (4.6.12) writes a hyphen in a name as `__` where its script for bash sets the
/// verb, and as `__subcmd__` where it compares it, so that nothing is offered below such a name.
/// Where it agrees with itself, this changes nothing.
fn correct_labels(command: &Command, script: &mut String) {
    let name = command.get_name();
    if name.contains('-') {
        *script = script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
    }
    command.get_subcommands().for_each(|verb| correct_labels(verb, script));
}

/// `command` without its hidden verbs. They are not for typing, and clap_complete offers them.
fn visible(command: &Command) -> Command {
    Command::new(env!("CARGO_PKG_NAME"))
        .about(command.get_about().cloned().unwrap_or_default())
        .version(env!("CARGO_PKG_VERSION"))
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(shown))
}

/// An argument with what may be written for it, where the command itself reads that in a way of its own: the
/// versions of kickstart, the codes of messages.
fn with_values(verb: &str, arg: &clap::Arg) -> clap::Arg {
    let values: Vec<String> = match (verb, arg.get_id().as_str()) {
        (_, "syntax") | ("convert", "from" | "to") => Syntax::ALL.iter().map(Syntax::to_string).collect(),
        ("explain", _) if arg.is_positional() => explain::all().map(|code| code.id.to_owned()).collect(),
        _ => return arg.clone(),
    };
    arg.clone().value_parser(PossibleValuesParser::new(values))
}

/// A verb without its hidden options and verbs. An option cannot be taken out of a command, so a
/// new one is made of what a shell is told.
fn shown(verb: &Command) -> Command {
    Command::new(verb.get_name().to_owned())
        .about(verb.get_about().cloned().unwrap_or_default())
        .args(verb.get_arguments().filter(|arg| !arg.is_hide_set()).map(|arg| with_values(verb.get_name(), arg)))
        .subcommands(verb.get_subcommands().filter(|verb| !verb.is_hide_set()).map(shown))
}
