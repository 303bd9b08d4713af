//! `repo`: a package repository.

use super::command::Command;
use super::url::{Ssl, one_place};
use crate::args::spec::{ALL, Spec, boolean, flag, int, list, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `repo`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repo {
    /// The command line.
    pub span: Span,
    /// `--name`.
    pub name: String,
    /// `--baseurl`: the repository itself.
    pub base_url: Option<String>,
    /// `--mirrorlist`: a list of servers that have it.
    pub mirror_list: Option<String>,
    /// `--metalink`: a list of servers with checksums.
    pub metalink: Option<String>,
    /// `--cost`: the higher, the less it is used.
    pub cost: Option<i64>,
    /// `--includepkgs`: only these packages.
    pub include: Vec<String>,
    /// `--excludepkgs`: all but these packages.
    pub exclude: Vec<String>,
    /// `--ignoregroups`: do not use its package groups.
    pub ignore_groups: bool,
    /// `--proxy`.
    pub proxy: Option<String>,
    /// `--noverifyssl`: do not check the certificate of the server.
    pub no_verify_ssl: bool,
    /// `--install`: configure it in the installed system too.
    pub install: bool,
    /// The certificates that are used.
    pub ssl: Ssl,
}

const SPEC: Spec =
    Spec::new("repo").repeatable().doc("Adds a package repository to the sources of packages.").options(&[
        text("--name").required().doc("the name of the repository"),
        text("--baseurl").doc("where the repository is"),
        text("--mirrorlist").doc("a list of servers that have the repository"),
        text("--metalink").since(8, 0).doc("a list of servers that have the repository, with checksums"),
        int("--cost").doc("how dear the repository is compared with others"),
        list("--excludepkgs").doc("packages that are not taken from it"),
        list("--includepkgs").doc("the only packages that are taken from it"),
        boolean("--ignoregroups").deprecated(9, ALL).removed(10, 40).doc("whether its package groups are left out"),
        text("--proxy").doc("a proxy to go through, with user and password if it wants them"),
        flag("--noverifyssl").doc("accept any certificate of the server"),
        flag("--install").doc("set the repository up on the installed system too"),
        text("--sslcacert").since(8, 0).doc("a file with the certificates that the server is checked against"),
        text("--sslclientcert").since(8, 0).doc("a file with the certificate to show to the server"),
        text("--sslclientkey").since(8, 0).doc("a file with the key of that certificate"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    one_place(args, cx, &["--mirrorlist", "--baseurl", "--metalink"], false);
    let Some(name) = args.text("--name") else {
        return;
    };
    cx.define_once("repo", &[&name], args.span, &format!("the repository `{name}`"));
    kickstart.repos.push(Repo {
        span: args.span,
        name,
        base_url: args.nonempty("--baseurl"),
        mirror_list: args.nonempty("--mirrorlist"),
        metalink: args.nonempty("--metalink"),
        cost: args.int("--cost"),
        include: args.list("--includepkgs"),
        exclude: args.list("--excludepkgs"),
        ignore_groups: args.boolean("--ignoregroups").unwrap_or(false),
        proxy: args.nonempty("--proxy"),
        no_verify_ssl: args.flag("--noverifyssl"),
        install: args.flag("--install"),
        ssl: Ssl::read(args),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for repo in &kickstart.repos {
        pen.text("repo").quoted("--name", Some(&repo.name));
        if repo.base_url.is_some() {
            pen.option("--baseurl", repo.base_url.as_ref());
        } else if repo.mirror_list.is_some() {
            pen.option("--mirrorlist", repo.mirror_list.as_ref());
        } else {
            // The place of the address is there, even if there is none.
            pen.text(' ');
        }
        pen.option("--cost", repo.cost.filter(|cost| *cost != 0))
            .quoted("--includepkgs", joined(&repo.include))
            .quoted("--excludepkgs", joined(&repo.exclude))
            .option("--ignoregroups", repo.ignore_groups.then_some("true"))
            .quoted("--proxy", repo.proxy.as_ref())
            .flag("--noverifyssl", repo.no_verify_ssl)
            .flag("--install", repo.install)
            .option("--metalink", repo.metalink.as_ref());
        repo.ssl.write(pen);
        pen.end();
    }
}

fn joined(packages: &[String]) -> Option<String> {
    (!packages.is_empty()).then(|| packages.join(","))
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn a_repository() {
        let k = good("repo --name='a b' --baseurl=http://b --cost=5 --excludepkgs=x,y --install --sslclientkey=k");
        let r = &k.repos[0];
        assert_eq!((r.name.as_str(), r.cost), ("a b", Some(5)));
        assert_eq!(r.exclude, ["x", "y"]);
        let text = k.to_pykickstart(Syntax::F44);
        let line =
            "\nrepo --name=\"a b\" --baseurl=http://b --cost=5 --excludepkgs=\"x,y\" --install --sslclientkey=\"k\"\n";
        assert!(text.contains(line), "{text}");
        let text = good("repo --name=a --metalink=m --cost=0").to_pykickstart(Syntax::F44);
        assert!(text.contains("\nrepo --name=\"a\"  --metalink=m\n"), "{text}");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("repo --baseurl=b", &["E207"]),
            ("repo --name=a", &[]),
            ("repo --name=a --baseurl=b --mirrorlist=c", &["E214"]),
            ("repo --name=a --cost=x", &["E210"]),
        ]);
        check_versions(&[
            (Syntax::Rhel8, "repo --name=a --ignoregroups=yes", &[]),
            (Syntax::F35, "repo --name=a --ignoregroups=yes", &["W201"]),
            (Syntax::Rhel10, "repo --name=a --ignoregroups=yes", &["E203"]),
            (Syntax::Rhel7, "repo --name=a --metalink=b", &["E202"]),
        ]);
    }
}
