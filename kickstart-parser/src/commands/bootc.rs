//! `bootc`: a container image that installs itself by way of `bootc install`.

use super::command::Command;
use super::image::name_something;
use crate::args::spec::{Spec, flag, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `bootc`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bootc {
    /// The command line.
    pub span: Span,
    /// `--source-imgref`: the image to install.
    pub source: String,
    /// Where that is written.
    pub source_span: Span,
    /// `--target-imgref`: where updates come from; the image itself if nothing else is said.
    pub target: String,
    /// `--stateroot`: the name of the system's state directory, `default` if none is given.
    pub stateroot: String,
    /// `--bootloader`: the boot loader to install.
    pub bootloader: Option<String>,
    /// `--composefs`: mount the system through composefs.
    pub composefs: bool,
}

const SPEC: Spec =
    Spec::new("bootc").since(10, 43).doc("Installs a bootable container image by its own installer.").options(&[
        text("--stateroot").resets().doc("the name of the system's state directory"),
        text("--source-imgref").required().doc("the image to install"),
        text("--target-imgref").doc("the image that updates come from"),
        text("--bootloader").since(11, 45).doc("the boot loader to install"),
        flag("--composefs").since(11, 45).doc("mount the system through composefs"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let (Some(given), Some(source)) = (args.last("--source-imgref"), args.text("--source-imgref")) else {
        return;
    };
    name_something(args, cx, "--source-imgref");
    // A target that was named, or made up from an earlier line, stays.
    let earlier = kickstart.bootc.take().map(|b| b.target);
    let target = args.nonempty("--target-imgref").or(earlier.filter(|_| args.last("--target-imgref").is_none()));
    kickstart.bootc = Some(Bootc {
        span: args.span,
        target: target.filter(|t| !t.is_empty()).unwrap_or_else(|| source.clone()),
        source,
        source_span: given.value_span,
        stateroot: args.text("--stateroot").unwrap_or_else(|| "default".to_owned()),
        bootloader: args.nonempty("--bootloader"),
        composefs: args.flag("--composefs"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(bootc) = &kickstart.bootc else { return };
    let word = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let mut options = Pen::new(pen.syntax);
    options
        .quoted("--stateroot", word(&bootc.stateroot))
        .quoted("--source-imgref", word(&bootc.source))
        .quoted("--target-imgref", word(&bootc.target));
    let options = options.finish();
    // The place of these three is there, even if there are none.
    pen.text("# Bootc setup\nbootc")
        .text(if options.is_empty() { " " } else { &options })
        .quoted("--bootloader", bootc.bootloader.as_ref())
        .flag("--composefs", bootc.composefs)
        .end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good, read_as};

    #[test]
    fn an_image() {
        let k = good("bootc --source-imgref=quay.io/a/b");
        let b = k.bootc.as_ref().unwrap();
        assert_eq!((b.target.as_str(), b.stateroot.as_str()), ("quay.io/a/b", "default"));
        let line = "\nbootc --stateroot=\"default\" --source-imgref=\"quay.io/a/b\" --target-imgref=\"quay.io/a/b\"\n";
        assert!(k.to_pykickstart(Syntax::F44).contains(line));
    }

    #[test]
    fn the_place_of_options_that_are_empty_is_written() {
        let k = read_as(Syntax::F45, "bootc --stateroot= --source-imgref '' --bootloader=grub --composefs").0;
        let text = k.to_pykickstart(Syntax::F45);
        assert!(text.contains("\nbootc  --bootloader=\"grub\" --composefs\n"), "{text}");
    }

    #[test]
    fn a_target_stays_and_a_stateroot_does_not() {
        let two = "bootc --source-imgref=a --stateroot=s --bootloader=x --composefs\nbootc --source-imgref=b";
        let b = read_as(Syntax::F46, two).0.bootc.unwrap();
        assert_eq!((b.source.as_str(), b.target.as_str(), b.stateroot.as_str()), ("b", "a", "default"));
        assert_eq!((b.bootloader.as_deref(), b.composefs), (Some("x"), false));
    }

    #[test]
    fn mistakes() {
        check(&[("bootc", &["E207"]), ("bootc --source-imgref=a b", &["E209"])]);
        check_versions(&[
            (Syntax::Rhel9, "bootc --source-imgref=a", &["E102"]),
            (Syntax::F44, "bootc --source-imgref=a --composefs", &["E202"]),
            (Syntax::F45, "bootc --source-imgref=a --composefs", &[]),
            (Syntax::Rhel10, "bootc --source-imgref=a --bootloader=x", &["E202"]),
        ]);
    }
}
