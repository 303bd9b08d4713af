//! `nvdimm`: memory modules that keep their content, as disks.

use super::command::Command;
use crate::args::spec::{NO, Spec, choice, count, list, one, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `nvdimm`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nvdimm {
    /// The command line.
    pub span: Span,
    /// What to do.
    pub action: NvdimmAction,
}

/// What `nvdimm` does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NvdimmAction {
    /// `reconfigure`: bring a namespace into sector mode.
    Reconfigure {
        /// `--namespace`.
        namespace: String,
        /// `--sectorsize`, in bytes.
        sector_size: u64,
    },
    /// `use --namespace`.
    UseNamespace(String),
    /// `use --blockdevs`.
    UseDevices(Vec<String>),
}

const SPEC: Spec = Spec::new("nvdimm")
    .doc("Uses memory modules that keep their content as disks.")
    .deprecated(NO, 40)
    .removed(10, 45)
    .repeatable()
    .options(&[
        text("--namespace").doc("the namespace"),
        list("--blockdevs").doc("the block devices to use, separated by commas"),
        choice("--mode", &["sector"]).doc("the mode to bring the namespace into"),
        count("--sectorsize").doc("the size of a sector in bytes"),
    ])
    .positionals(&[one("an action: reconfigure or use")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let devices = args.list("--blockdevs");
    let namespace = args.nonempty("--namespace");
    if namespace.is_some() && !devices.is_empty() {
        args.exclude(cx, "--namespace", "--blockdevs");
    }
    let Some(word) = args.argument(0) else {
        return;
    };
    let action = match word.value.as_str() {
        "reconfigure" => reconfigure(namespace, args, cx),
        "use" => match namespace {
            Some(namespace) => Some(NvdimmAction::UseNamespace(namespace)),
            None if devices.is_empty() => missing("use", "`--namespace` or `--blockdevs`", args, cx),
            None => Some(NvdimmAction::UseDevices(devices)),
        },
        other => {
            let message = format!("`{other}` is no action");
            let diagnostic = Diagnostic::new(&codes::INVALID_CHOICE, word.span, message);
            cx.report(diagnostic.help("it takes reconfigure or use"));
            None
        }
    };
    if let Some(action) = action {
        define(&action, args.span, cx);
        kickstart.nvdimm.push(Nvdimm { span: args.span, action });
    }
}

fn reconfigure(namespace: Option<String>, args: &Args, cx: &mut Cx<'_>) -> Option<NvdimmAction> {
    let Some(namespace) = namespace else {
        return missing("reconfigure", "`--namespace`", args, cx);
    };
    // 0 is as good as nothing.
    match args.count("--sectorsize").filter(|size| *size > 0) {
        Some(sector_size) => Some(NvdimmAction::Reconfigure { namespace, sector_size }),
        None => missing("reconfigure", "`--sectorsize`", args, cx),
    }
}

fn missing(action: &str, what: &str, args: &Args, cx: &mut Cx<'_>) -> Option<NvdimmAction> {
    if !args.broken {
        cx.report(Diagnostic::new(&codes::REQUIRED_OPTION, args.span, format!("`nvdimm {action}` needs {what}")));
    }
    None
}

fn define(action: &NvdimmAction, span: Span, cx: &mut Cx<'_>) {
    let name: Vec<&str> = match action {
        NvdimmAction::Reconfigure { namespace, .. } => vec!["reconfigure", namespace],
        NvdimmAction::UseNamespace(namespace) => vec!["use", namespace],
        NvdimmAction::UseDevices(devices) => {
            ["use", ""].into_iter().chain(devices.iter().map(String::as_str)).collect()
        }
    };
    cx.define_once("nvdimm", &name, span, "what becomes of this memory");
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if kickstart.nvdimm.is_empty() {
        return;
    }
    pen.line("# NVDIMM devices setup");
    for nvdimm in &kickstart.nvdimm {
        pen.text("nvdimm");
        match &nvdimm.action {
            NvdimmAction::Reconfigure { namespace, sector_size } => pen
                .word("reconfigure")
                .option("--namespace", Some(namespace))
                .option("--mode", Some("sector"))
                .option("--sectorsize", Some(sector_size)),
            NvdimmAction::UseNamespace(namespace) => pen.word("use").option("--namespace", Some(namespace)),
            NvdimmAction::UseDevices(devices) => pen.word("use").list("--blockdevs", devices),
        }
        .end_trimmed();
    }
    pen.end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn actions() {
        let text = "nvdimm reconfigure --namespace=n0.0 --sectorsize=512\nnvdimm use --namespace=n0.0\n\
                    nvdimm use --blockdevs=pmem0,pmem1 --mode=sector";
        let (kickstart, codes) = read_as(Syntax::F39, text);
        assert!(codes.is_empty(), "{codes:?}");
        let written = kickstart.to_pykickstart(Syntax::F39);
        let lines = "# NVDIMM devices setup\nnvdimm reconfigure --namespace=n0.0 --mode=sector --sectorsize=512\n\
                     nvdimm use --namespace=n0.0\nnvdimm use --blockdevs=pmem0,pmem1\n\n";
        assert!(written.ends_with(lines), "{written}");
    }

    #[test]
    fn mistakes() {
        let v = Syntax::F39;
        check_versions(&[
            (v, "nvdimm --namespace=a", &["E208"]),
            (v, "nvdimm explode --namespace=a", &["E212"]),
            (v, "nvdimm reconfigure --sectorsize=512", &["E207"]),
            (v, "nvdimm reconfigure --namespace=a --sectorsize=0", &["E207"]),
            (v, "nvdimm reconfigure --namespace=a --sectorsize=512 --mode=raw", &["E212"]),
            (v, "nvdimm use", &["E207"]),
            (v, "nvdimm use --namespace= --blockdevs=a", &[]),
            (v, "nvdimm use --namespace=a --blockdevs=b", &["E214"]),
            (Syntax::F40, "nvdimm explode", &["W101"]),
            (Syntax::Rhel10, "nvdimm use --namespace=a", &["E103"]),
        ]);
    }
}
