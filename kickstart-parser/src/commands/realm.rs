//! `realm`: joins a domain, with arguments of the program `realm`.

use super::command::Command;
use crate::args::spec::{Kind, Opt, Spec, any, flag, text};
use crate::args::{Args, Argument, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::secret::Secret;
use crate::span::Span;

/// `realm join`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Realm {
    /// The command line.
    pub span: Span,
    /// The realm or domain to join.
    pub realm: String,
    /// `--computer-ou`: where in the directory the account of the machine goes.
    pub computer_ou: Option<String>,
    /// `--no-password`: join without authentication.
    pub no_password: bool,
    /// `--one-time-password`.
    pub one_time_password: Option<Secret>,
    /// `--client-software`: only realms that it can join.
    pub client_software: Option<String>,
    /// `--server-software`: only realms that run it.
    pub server_software: Option<String>,
    /// `--membership-software`: what joins.
    pub membership_software: Option<String>,
    /// All words after `join`, quoted as a shell wants them.
    pub arguments: Secret,
}

/// For the documentation, and for [`read`]; these options are no options of kickstart.
const OPTIONS: &[Opt] = &[
    text("--client-software").doc("only a realm that this client software can join"),
    text("--server-software").doc("only a realm that runs this server software"),
    text("--membership-software").doc("the software that does the joining"),
    text("--one-time-password").secret().doc("a password that joins once"),
    flag("--no-password").doc("join without a password"),
    text("--computer-ou").doc("the organisational unit that the machine's account goes to"),
];

const SPEC: Spec = Spec::new("realm")
    .doc("Makes the machine a member of an Active Directory or IPA domain: `realm join DOMAIN`.")
    .repeatable()
    .raw()
    .options(OPTIONS)
    .positionals(&[any("`join` and a realm")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let Some(before) = &kickstart.realm {
        cx.report(
            Diagnostic::new(&codes::NAME_TAKEN, args.span, "`realm join` can be given only once")
                .label(before.span, "it is given here already"),
        );
    } else if let Some(realm) = read(args, cx) {
        kickstart.realm = Some(realm);
    }
}

/// The words as the C library's `getopt_long` has them: options first, abbreviated at will.
fn read(args: &Args, cx: &mut Cx<'_>) -> Option<Realm> {
    let words = subcommand(args, cx)?;
    let mut realm = Realm {
        span: args.span,
        realm: String::new(),
        computer_ou: None,
        no_password: false,
        one_time_password: None,
        client_software: None,
        server_software: None,
        membership_software: None,
        arguments: Secret::new(words.iter().map(|word| shell_word(&word.value)).collect::<Vec<_>>().join(" ")),
    };
    let mut rest = words;
    while let [word, after @ ..] = rest {
        if word.value == "--" {
            rest = after;
            break;
        }
        if !word.value.starts_with('-') || word.value == "-" {
            break;
        }
        let (name, value) = match word.value.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.value.as_str(), None),
        };
        let option = find_option(name, word.span, cx)?;
        rest = after;
        let (value, at) = match (option.kind, value, after) {
            (Kind::Flag, None, _) => (String::new(), word.span),
            (Kind::Flag, Some(_), _) => {
                let message = format!("`{}` takes no value", option.name);
                cx.report(Diagnostic::new(&codes::UNWANTED_VALUE, word.span, message));
                return None;
            }
            (_, Some(value), _) => (value.to_owned(), word.span),
            (_, None, [next, after @ ..]) => {
                rest = after;
                (next.value.to_string(), next.span)
            }
            (_, None, []) => {
                let message = format!("`{}` needs a value", option.name);
                cx.report(Diagnostic::new(&codes::MISSING_VALUE, word.span, message));
                return None;
            }
        };
        if option.secret {
            cx.secrets.push(at);
        }
        realm.set(option.name, value);
    }
    realm.realm = one_realm(args, rest, cx)?;
    Some(realm)
}

impl Realm {
    fn set(&mut self, option: &str, value: String) {
        match option {
            "--client-software" => self.client_software = Some(value),
            "--server-software" => self.server_software = Some(value),
            "--membership-software" => self.membership_software = Some(value),
            "--one-time-password" => self.one_time_password = Some(Secret::new(value)),
            "--no-password" => self.no_password = true,
            _ => self.computer_ou = Some(value),
        }
    }
}

/// The words after `join`, which is all that an installation can do.
fn subcommand<'a>(args: &'a Args, cx: &mut Cx<'_>) -> Option<&'a [Argument]> {
    match args.arguments(0) {
        [first, words @ ..] if first.value == "join" => Some(words),
        [first, ..] => {
            cx.report(
                Diagnostic::new(&codes::INVALID_CHOICE, first.span, "`realm` can only `join` here")
                    .help("write `realm join DOMAIN`"),
            );
            None
        }
        [] => {
            cx.report(
                Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, "`realm` needs to be told what to do")
                    .help("write `realm join DOMAIN`"),
            );
            None
        }
    }
}

fn find_option(name: &str, span: Span, cx: &mut Cx<'_>) -> Option<&'static Opt> {
    // A word with one dash is none, even if it is the beginning of `--`.
    let fits = |option: &&Opt| name.starts_with("--") && option.name.starts_with(name);
    let fitting: Vec<&'static Opt> = OPTIONS.iter().filter(fits).collect();
    match fitting.as_slice() {
        [option] => Some(option),
        [] => {
            let message = format!("`realm join` has no option `{name}` here");
            cx.report(Diagnostic::new(&codes::UNKNOWN_OPTION, span, message));
            None
        }
        several => {
            let names: Vec<String> = several.iter().map(|option| format!("`{}`", option.name)).collect();
            let message = format!("`{name}` fits more than one option of `realm join`");
            cx.report(
                Diagnostic::new(&codes::AMBIGUOUS_OPTION, span, message)
                    .help(format!("it could be {}", names.join(" or "))),
            );
            None
        }
    }
}

/// The one word that is left. A comment is none: the reader of this line does not know comments.
fn one_realm(args: &Args, rest: &[Argument], cx: &mut Cx<'_>) -> Option<String> {
    let comment = args.has_comment;
    match rest {
        [realm] if !comment => Some(realm.value.to_string()),
        [] if !comment => {
            cx.report(Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, "`realm join` needs a realm"));
            None
        }
        [_, extra, ..] => {
            let help = "one realm is joined; options stand before it";
            let message = "`realm join` has an argument too many";
            cx.report(Diagnostic::new(&codes::UNEXPECTED_ARGUMENT, extra.span, message).help(help));
            None
        }
        _ => {
            let message = "a comment after `realm join` is taken for arguments";
            cx.report(
                Diagnostic::new(&codes::UNEXPECTED_ARGUMENT, args.span, message)
                    .help("put the comment on a line of its own"),
            );
            None
        }
    }
}

/// A word as a shell has to see it.
fn shell_word(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(safe) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(realm) = &kickstart.realm {
        pen.line("# Realm or domain membership").text("realm join").word(realm.arguments.expose()).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, good};
    use crate::{ParseOptions, Syntax, parse};

    #[test]
    fn join() {
        let kickstart = good("realm join --computer-ou 'OU=a b' --client=sssd --no-pass ad.example.com");
        let realm = kickstart.realm.as_ref().unwrap();
        assert_eq!(realm.realm, "ad.example.com");
        assert_eq!(realm.computer_ou.as_deref(), Some("OU=a b"));
        assert_eq!((realm.client_software.as_deref(), realm.no_password), (Some("sssd"), true));
        let written = kickstart.to_pykickstart(Syntax::F44);
        let line =
            "# Realm or domain membership\nrealm join --computer-ou 'OU=a b' --client=sssd --no-pass ad.example.com\n";
        assert!(written.contains(line), "{written}");
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, quoted) in
            [("a.b", "a.b"), ("", "''"), ("a;b", "'a;b'"), ("it's", "'it'\"'\"'s'"), ("\u{fc}", "'\u{fc}'")]
        {
            assert_eq!(super::shell_word(word), quoted);
        }
    }

    #[test]
    fn mistakes() {
        check(&[
            ("realm", &["E208"]),
            ("realm leave", &["E212"]),
            ("realm join", &["E208"]),
            ("realm join --", &["E208"]),
            ("realm join a b", &["E209"]),
            ("realm join a --no-password", &["E209"]),
            ("realm join a # b", &["E209"]),
            ("realm join --user=a b", &["E201"]),
            ("realm join -U a b", &["E201"]),
            ("realm join --c a b", &["E204"]),
            ("realm join --no-password=x a", &["E206"]),
            ("realm join --computer-ou", &["E205"]),
            ("realm join -- -x", &[]),
            ("realm join -", &[]),
            ("realm join a\nrealm join b", &["E217"]),
        ]);
    }

    #[test]
    fn passwords_are_not_shown() {
        for text in ["realm join --one-time-password=hush d", "realm join --one hush d"] {
            let parsed = parse(text, "a.ks", &ParseOptions::default());
            assert!(!format!("{:?}", parsed.kickstart).contains("hush"));
            assert!(!parsed.sources.get(crate::SourceId::ROOT).unwrap().shown(0..text.len()).contains("hush"));
        }
    }
}
