//! `device` and `deviceprobe`: drivers to load, in the oldest version.

use super::command::Command;
use crate::args::spec::{ALL, NO, Spec, any, one, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `device`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// The command line.
    pub span: Span,
    /// The kernel module; may be empty.
    pub module: String,
    /// `--opts`: its parameters.
    pub options: Option<String>,
}

/// `deviceprobe`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceProbe {
    /// The command line.
    pub span: Span,
    /// The words behind the command, whatever they are.
    pub words: Vec<String>,
}

const SPEC: Spec = Spec::new("device")
    .doc("Loads a kernel module.")
    .deprecated(8, NO)
    .removed(9, ALL)
    .repeatable()
    .options(&[text("--opts").doc("parameters of the module")])
    .positionals(&[one("the name of a module")]);

const PROBE_SPEC: Spec = Spec::new("deviceprobe")
    .doc("Looks for hardware.")
    .deprecated(8, NO)
    .removed(9, ALL)
    .raw()
    .positionals(&[any("anything")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };
pub(crate) const PROBE: Command = Command { spec: &PROBE_SPEC, apply: apply_probe };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let Some(module) = args.argument(0) else {
        return;
    };
    if module.value.starts_with('-') {
        let message = format!("`{}` is no name of a module", module.value);
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, module.span, message));
    }
    let name = module.value.to_string();
    cx.define_once("device", &[&name], args.span, &format!("the module `{name}`"));
    kickstart.devices.push(Device { span: args.span, module: name, options: args.nonempty("--opts") });
}

fn apply_probe(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let own = args.arguments(0).iter().filter(|word| args.is_own(word.span));
    let words = own.map(|word| word.value.to_string()).collect();
    kickstart.device_probe = Some(DeviceProbe { span: args.span, words });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for device in &kickstart.devices {
        if !device.module.is_empty() {
            pen.text("device").word(&device.module).quoted("--opts", device.options.as_ref());
        }
        pen.end();
    }
}

pub(crate) fn write_probe(kickstart: &Kickstart, pen: &mut Pen) {
    let words = kickstart.device_probe.as_ref().map(|probe| probe.words.join(" "));
    if let Some(words) = words.filter(|words| !words.is_empty()) {
        pen.text("deviceprobe").word(words).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn modules() {
        let text = "device e1000 --opts=\"a=1 b=2\"\ndevice --opts= sr_mod\ndeviceprobe --x -- 'a b'";
        let (kickstart, codes) = read_as(Syntax::Rhel7, text);
        assert!(codes.is_empty(), "{codes:?}");
        let written = kickstart.to_pykickstart(Syntax::Rhel7);
        let lines = "\ndevice e1000 --opts=\"a=1 b=2\"\ndevice sr_mod\ndeviceprobe --x -- a b\n";
        assert!(written.contains(lines), "{written}");
    }

    #[test]
    fn the_last_probe_counts() {
        let (kickstart, _) = read_as(Syntax::Rhel7, "deviceprobe a\ndeviceprobe");
        assert!(kickstart.device_probe.unwrap().words.is_empty());
    }

    #[test]
    fn mistakes() {
        check_versions(&[
            (Syntax::Rhel7, "device", &["E208"]),
            (Syntax::Rhel7, "device eth e1000", &["E209"]),
            (Syntax::Rhel7, "device -5", &["E216"]),
            (Syntax::Rhel8, "device eth e1000", &["W101"]),
            (Syntax::Rhel9, "deviceprobe", &["E103"]),
        ]);
    }
}
