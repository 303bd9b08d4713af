//! `stratispool`: a Stratis pool.

use super::command::Command;
use crate::args::spec::{Spec, any, flag, text};
use crate::args::{Args, Argument, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::secret::Secret;
use crate::span::Span;

/// `stratispool`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StratisPool {
    /// The command line.
    pub span: Span,
    /// The name of the pool.
    pub name: String,
    /// Its block devices, such as `stratis.01`; none if it is there already.
    pub block_devices: Vec<String>,
    /// `--useexisting`: the pool is there already.
    pub use_existing: bool,
    /// `--encrypted`.
    pub encrypted: bool,
    /// `--passphrase`.
    pub passphrase: Option<Secret>,
    /// `--overprovisioning`: its file systems together may be larger than it is.
    pub overprovisioning: bool,
}

const SPEC: Spec = Spec::new("stratispool")
    .doc("Makes a Stratis pool of block devices.")
    .since(11, 45)
    .repeatable()
    .leftovers()
    .options(&[
        flag("--useexisting").doc("use a pool that is there already"),
        flag("--encrypted").doc("encrypt the pool"),
        text("--passphrase").secret().doc("the passphrase of the encryption"),
        flag("--overprovisioning").doc("its file systems together may be larger than the pool"),
    ])
    .positionals(&[any("a name, then block devices")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    // The name is whatever comes first, before or behind options.
    let mut words = args.arguments(0).iter().chain(&args.leftovers);
    let Some(name) = words.next() else {
        missing(args, "the name of a pool", cx);
        return;
    };
    let members: Vec<&Argument> = words.collect();
    check(args, &members, cx);
    cx.define_once("stratispool", &[&name.value], args.span, &format!("the pool `{}`", name.value));
    kickstart.stratis_pools.push(StratisPool {
        span: args.span,
        name: name.value.to_string(),
        block_devices: members.iter().map(|m| m.value.to_string()).collect(),
        use_existing: args.flag("--useexisting"),
        encrypted: args.flag("--encrypted"),
        passphrase: args.secret("--passphrase").filter(|p| !p.is_empty()),
        overprovisioning: args.flag("--overprovisioning"),
    });
}

fn missing(args: &Args, what: &str, cx: &mut Cx<'_>) {
    if !args.broken {
        let message = format!("`stratispool` needs {what}");
        cx.report(Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, message));
    }
}

fn check(args: &Args, members: &[&Argument], cx: &mut Cx<'_>) {
    if args.text("--passphrase").is_some_and(|p| !p.is_empty()) {
        args.needs(cx, "--passphrase", "--encrypted");
    }
    match members.first() {
        Some(member) if args.flag("--useexisting") => {
            let message = "a pool that is there already has its block devices";
            cx.report(Diagnostic::new(&codes::UNEXPECTED_ARGUMENT, member.span, message));
        }
        None if !args.flag("--useexisting") => missing(args, "a block device", cx),
        _ => {}
    }
    if let (Some(lost), false) = (args.arguments(0).get(1), args.leftovers.is_empty()) {
        let message =
            format!("other kickstart tools lose `{}`: more block devices follow behind an option", lost.value);
        cx.report(
            Diagnostic::new(&codes::UNEXPECTED_ARGUMENT, lost.span, message)
                .help("write all block devices next to each other"),
        );
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for pool in &kickstart.stratis_pools {
        pen.text("stratispool")
            .word(&pool.name)
            .flag("--useexisting", pool.use_existing)
            .flag("--encrypted", pool.encrypted)
            .quoted("--passphrase", pool.passphrase.as_ref().map(Secret::expose))
            .flag("--overprovisioning", pool.overprovisioning);
        for device in &pool.block_devices {
            pen.word(device);
        }
        pen.end_trimmed();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn a_pool() {
        let text = "stratispool p stratis.1 stratis.2 --encrypted --passphrase=hush\nstratispool --useexisting q";
        let (kickstart, codes) = read_as(Syntax::F46, text);
        assert!(codes.is_empty(), "{codes:?}");
        let pool = &kickstart.stratis_pools[0];
        assert_eq!((pool.name.as_str(), pool.block_devices.len()), ("p", 2));
        assert!(!format!("{pool:?}").contains("hush"));
        let written = kickstart.to_pykickstart(Syntax::F46);
        assert!(
            written.contains("\nstratispool p --encrypted --passphrase=\"hush\" stratis.1 stratis.2\n"),
            "{written}"
        );
        assert!(written.contains("\nstratispool q --useexisting\n"), "{written}");
        let written = read_as(Syntax::F46, "stratispool a b ''").0.to_pykickstart(Syntax::F46);
        assert!(written.contains("\nstratispool a b\n"), "{written}");
    }

    #[test]
    fn mistakes() {
        let v = Syntax::F46;
        check_versions(&[
            (v, "stratispool", &["E208"]),
            (v, "stratispool p", &["E208"]),
            (v, "stratispool p --overprovisioning stratis.1", &[]),
            (v, "stratispool p a --overprovisioning b", &["E209"]),
            (v, "stratispool p a --useexisting", &["E209"]),
            (v, "stratispool p a --passphrase=x", &["E215"]),
            (v, "stratispool p a --bogus", &["E201"]),
            (Syntax::F44, "stratispool p a", &["E102"]),
        ]);
    }
}
