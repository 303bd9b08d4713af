//! `nfs`: an installation tree on an NFS server.

use super::command::Command;
use crate::args::spec::{Spec, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `nfs`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nfs {
    /// The command line.
    pub span: Span,
    /// `--server`: its name or address.
    pub server: String,
    /// `--dir`: the directory of the tree there.
    pub dir: String,
    /// `--opts`: mount options.
    pub options: Option<String>,
}

const SPEC: Spec = Spec::new("nfs").doc("Takes packages from an installation tree on an NFS server.").options(&[
    text("--server").required().doc("the name or address of the server"),
    text("--dir").required().doc("the directory of the tree on the server"),
    text("--opts").doc("mount options"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let (Some(server), Some(dir)) = (args.text("--server"), args.text("--dir")) else {
        return;
    };
    kickstart.nfs = Some(Nfs { span: args.span, server, dir, options: args.nonempty("--opts") });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(nfs) = &kickstart.nfs else { return };
    pen.text("# Use NFS installation media\nnfs")
        .option("--server", Some(&nfs.server))
        .quoted("--dir", Some(&nfs.dir))
        .quoted("--opts", nfs.options.as_ref())
        .end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good};

    #[test]
    fn a_server() {
        let k = good("nfs --server=s --dir=/d --opts=ro");
        let n = k.nfs.as_ref().unwrap();
        assert_eq!((n.server.as_str(), n.dir.as_str(), n.options.as_deref()), ("s", "/d", Some("ro")));
        assert!(k.to_pykickstart(Syntax::F44).contains("\nnfs --server=s --dir=\"/d\" --opts=\"ro\"\n"));
    }

    #[test]
    fn mistakes() {
        check(&[("nfs --server=s", &["E207"]), ("nfs", &["E207", "E207"]), ("nfs --server=s --dir=d x", &["E209"])]);
    }
}
