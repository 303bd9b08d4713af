//! `stratisfs`: a file system in a Stratis pool.

use super::command::Command;
use super::part::normal_path;
use crate::args::spec::{Spec, count, flag, one, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `stratisfs`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StratisFs {
    /// The command line.
    pub span: Span,
    /// The mount point, or `none`.
    pub mount: String,
    /// `--name`.
    pub name: String,
    /// `--poolname`: the pool that it is in.
    pub pool: String,
    /// `--size`, in MiB; never 0.
    pub size_mib: Option<u64>,
    /// `--grow`: as large as possible.
    pub grow: bool,
    /// `--maxsize`, in MiB: how far it may grow; never 0.
    pub max_size_mib: Option<u64>,
    /// `--useexisting`: it is there already.
    pub use_existing: bool,
}

const SPEC: Spec = Spec::new("stratisfs")
    .doc("Makes a file system in a Stratis pool.")
    .since(11, 45)
    .repeatable()
    .options(&[
        count("--size").doc("its size in MiB"),
        flag("--grow").doc("make it as large as possible"),
        count("--maxsize").doc("how far it may grow, in MiB"),
        text("--name").required().doc("its name"),
        text("--poolname").required().doc("the pool that it is in"),
        flag("--useexisting").doc("use a file system that is there already"),
    ])
    .positionals(&[one("a mount point")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    // 0 is as good as nothing.
    let size = |option| args.count(option).filter(|size| *size > 0);
    if size("--maxsize").is_some() {
        args.needs(cx, "--maxsize", "--grow");
    }
    let (Some(mount), Some(name), Some(pool)) = (args.argument(0), args.text("--name"), args.text("--poolname")) else {
        return;
    };
    cx.define_once("stratisfs", &[&name, &pool], args.span, &format!("`{name}` in the pool `{pool}`"));
    kickstart.stratis_file_systems.push(StratisFs {
        span: args.span,
        mount: normal_path(&mount.value),
        name,
        pool,
        size_mib: size("--size"),
        grow: args.flag("--grow"),
        max_size_mib: size("--maxsize"),
        use_existing: args.flag("--useexisting"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for fs in &kickstart.stratis_file_systems {
        pen.text("stratisfs")
            .word(&fs.mount)
            .option("--size", fs.size_mib)
            .flag("--grow", fs.grow)
            .option("--maxsize", fs.max_size_mib)
            .flag("--useexisting", fs.use_existing)
            .option("--name", Some(&fs.name))
            .option("--poolname", Some(&fs.pool))
            .end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn a_file_system() {
        let text = "stratisfs /var/ --name=v --poolname=p --size=100 --grow --maxsize=200 --useexisting";
        let (kickstart, codes) = read_as(Syntax::F46, text);
        assert!(codes.is_empty(), "{codes:?}");
        assert_eq!(kickstart.stratis_file_systems[0].size_mib, Some(100));
        let written = kickstart.to_pykickstart(Syntax::F46);
        let line = "\nstratisfs /var --size=100 --grow --maxsize=200 --useexisting --name=v --poolname=p\n";
        assert!(written.contains(line), "{written}");
    }

    #[test]
    fn mistakes() {
        let v = Syntax::F46;
        check_versions(&[
            (v, "stratisfs / --name=a", &["E207"]),
            (v, "stratisfs --name=a --poolname=b", &["E208"]),
            (v, "stratisfs / --name=a --poolname=b --maxsize=5", &["E215"]),
            (v, "stratisfs / --name=a --poolname=b --maxsize=0 --size=0", &[]),
            (v, "stratisfs / /b --name=a --poolname=b", &["E209"]),
            (Syntax::F44, "stratisfs / --name=a --poolname=b", &["E102"]),
        ]);
    }
}
