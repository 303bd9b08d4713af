//! `%packages`: what to install from package repositories.
//!
//! Every section is kept as it was written, entry by entry; a [`Selection`] is what all of them
//! come to.

use std::collections::{BTreeMap, BTreeSet};

use super::stretches::stretches;
use crate::args::scan::scan;
use crate::args::spec::{ALL, NO, Spec, flag, int, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::Section;
use crate::kickstart::Kickstart;
use crate::lex;
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::{Life, State};

/// A `%packages` section.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Packages {
    /// The header of the section.
    pub span: Span,
    /// `--default`: the default selection.
    pub default: bool,
    /// `--excludedocs`: without documentation.
    pub exclude_docs: bool,
    /// `--nobase`: without the group that older versions always added.
    pub no_base: bool,
    /// `--nocore`: without the group that is always added.
    pub no_core: bool,
    /// `--ignoremissing`: go on without packages that are not to be had.
    pub ignore_missing: bool,
    /// `--ignorebroken`: go on without packages that cannot be installed.
    pub ignore_broken: bool,
    /// `--inst-langs`: only these languages; empty is none.
    pub languages: Option<String>,
    /// `--multilib`: packages of all architectures that the machine can run.
    pub multilib: bool,
    /// `--exclude-weakdeps`: without what is only recommended.
    pub exclude_weak: bool,
    /// `--timeout` of a download, in seconds.
    pub timeout_s: Option<i64>,
    /// `--retries` of a download.
    pub retries: Option<i64>,
    /// The entries, in the order of writing.
    pub entries: Vec<PackageEntry>,
    /// The body, verbatim.
    pub body: String,
}

/// One entry of a `%packages` section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackageEntry {
    /// The entry, without blanks and comments around it.
    pub span: Span,
    /// It begins with a dash: not this.
    pub excluded: bool,
    /// What it names.
    pub name: PackageName,
}

/// What an entry of a `%packages` section names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PackageName {
    /// A package, or a pattern of package names.
    Package(String),
    /// `@name`: a group.
    Group(String, GroupMembers),
    /// `@^name`: an environment.
    Environment(String),
}

/// Which members of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum GroupMembers {
    /// The mandatory ones and those that are there by default.
    #[default]
    Default,
    /// `--nodefaults`: the mandatory ones only.
    Mandatory,
    /// `--optional`: all of them.
    All,
}

const NO_BASE: &str = "--nobase";
const NO_CORE: &str = "--nocore";

pub(super) const SPEC: Spec =
    Spec::new("%packages").doc("Packages and groups to install from repositories.").options(&[
        flag("--default").doc("the default selection of packages"),
        flag("--excludedocs").doc("leave documentation out"),
        flag("--ignoremissing").doc("go on without packages that cannot be found"),
        flag("--ignorebroken").since(NO, ALL).doc("go on without packages that cannot be installed"),
        flag(NO_BASE).since(ALL, NO).deprecated(ALL, NO).removed(8, NO).doc("leave the base group out"),
        flag(NO_CORE).doc("leave the core group out"),
        flag("--multilib").doc("packages of every architecture that the machine can run"),
        int("--timeout").doc("how long a download may stand still, in seconds"),
        int("--retries").doc("how often a download is tried again"),
        text("--inst-langs").since(9, ALL).doc("the languages to install, separated by commas"),
        text("--instLangs").deprecated(9, ALL).removed(10, NO).doc("the languages to install, separated by commas"),
        flag("--exclude-weakdeps").since(9, ALL).doc("leave out what packages only recommend"),
        flag("--excludeWeakdeps")
            .since(8, ALL)
            .deprecated(9, ALL)
            .removed(10, NO)
            .doc("leave out what packages only recommend"),
    ]);

/// Since when the names of options have dashes.
const DASHES: Life = Life::since(9, ALL);

pub(super) fn apply(section: &Section, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let args = scan(&SPEC, section.span, section.words.get(1..).unwrap_or_default(), cx);
    args.exclude(cx, "--default", NO_CORE);
    args.exclude(cx, "--default", NO_BASE);
    let mut packages = header(&args);
    for (text, span) in stretches(&section.body, &section.body_spans) {
        for line in lex::lines(text) {
            let content = text.get(line.start..line.content_end).unwrap_or("");
            let entry = content.split('#').next().unwrap_or("");
            let start = span.start as usize + line.start + (entry.len() - entry.trim_start().len());
            let entry = entry.trim();
            if !entry.is_empty() {
                let span = Span::new(span.source, start, start + entry.len());
                packages.entries.extend(self::entry(entry, span, cx));
            }
        }
    }
    packages.body.clone_from(&section.body);
    kickstart.packages.push(packages);
}

fn header(args: &Args) -> Packages {
    let languages = args.last_of(&["--inst-langs", "--instLangs"]).and_then(|given| args.text(given.name));
    Packages {
        span: args.span,
        default: args.flag("--default"),
        exclude_docs: args.flag("--excludedocs"),
        no_base: args.flag(NO_BASE),
        no_core: args.flag(NO_CORE),
        ignore_missing: args.flag("--ignoremissing"),
        ignore_broken: args.flag("--ignorebroken"),
        languages,
        multilib: args.flag("--multilib"),
        exclude_weak: args.flag("--exclude-weakdeps") || args.flag("--excludeWeakdeps"),
        timeout_s: args.int("--timeout"),
        retries: args.int("--retries"),
        entries: Vec::new(),
        body: String::new(),
    }
}

fn entry(text: &str, span: Span, cx: &mut Cx<'_>) -> Option<PackageEntry> {
    let (excluded, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest.is_empty() {
        let message = "there is a dash, but no package that it excludes";
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, span, message));
        return None;
    }
    let name = match rest.strip_prefix('@') {
        None => PackageName::Package(rest.to_owned()),
        Some(group) => match group.strip_prefix('^') {
            Some(environment) => PackageName::Environment(environment.to_owned()),
            // A group that is excluded is excluded with all its members.
            None if excluded => PackageName::Group(group.to_owned(), GroupMembers::Default),
            None => self::group(group, span, cx)?,
        },
    };
    Some(PackageEntry { span, excluded, name })
}

/// A group: words that are its name, and options anywhere among them.
fn group(text: &str, span: Span, cx: &mut Cx<'_>) -> Option<PackageName> {
    let (mut mandatory, mut all) = (false, false);
    let mut name: Vec<&str> = Vec::new();
    let mut options = true;
    for word in text.split_whitespace() {
        options &= word != "--";
        let (option, value) = word.split_once('=').map_or((word, None), |(o, v)| (o, Some(v)));
        let is = |full: &str| options && option.len() > 2 && option.starts_with("--") && full.starts_with(option);
        let known = if is("--nodefaults") {
            mandatory = true;
            true
        } else if is("--optional") {
            all = true;
            true
        } else {
            name.push(word);
            false
        };
        if known && value.is_some() {
            cx.report(Diagnostic::new(&codes::UNWANTED_VALUE, span, format!("`{option}` takes no value")));
            return None;
        }
    }
    if mandatory && all {
        let message = "`--nodefaults` and `--optional` cannot be used together";
        cx.report(Diagnostic::new(&codes::OPTIONS_EXCLUDE, span, message));
    }
    let members = match (mandatory, all) {
        (true, _) => GroupMembers::Mandatory,
        (false, true) => GroupMembers::All,
        (false, false) => GroupMembers::Default,
    };
    Some(PackageName::Group(name.join(" "), members))
}

/// What all `%packages` sections of a kickstart come to.
///
/// Entries count in the order of writing: a package that is excluded and then named is
/// installed, one that is named and then excluded is not. A group that was excluded stays so.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection<'a> {
    /// The environment, the last one named.
    pub environment: Option<&'a str>,
    /// Groups, by name.
    pub groups: BTreeMap<&'a str, GroupMembers>,
    /// Packages.
    pub packages: BTreeSet<&'a str>,
    /// Groups that are excluded, and how often.
    pub excluded_groups: BTreeMap<&'a str, usize>,
    /// Environments that are excluded and were not the one that is named, and how often.
    pub excluded_environments: BTreeMap<&'a str, usize>,
    /// Packages that are excluded.
    pub excluded_packages: BTreeSet<&'a str>,
}

impl<'a> Selection<'a> {
    /// Put sections together.
    pub fn of(sections: &'a [Packages]) -> Selection<'a> {
        let mut selection = Selection::default();
        for entry in sections.iter().flat_map(|section| &section.entries) {
            selection.take(entry);
        }
        selection
    }

    fn take(&mut self, entry: &'a PackageEntry) {
        match (&entry.name, entry.excluded) {
            (PackageName::Package(name), false) => {
                self.excluded_packages.remove(name.as_str());
                self.packages.insert(name);
            }
            (PackageName::Package(name), true) => {
                self.packages.remove(name.as_str());
                self.excluded_packages.insert(name);
            }
            (PackageName::Group(name, members), false) => {
                self.groups.entry(name).or_insert(*members);
            }
            (PackageName::Group(name, _), true) => {
                self.groups.remove(name.as_str());
                *self.excluded_groups.entry(name).or_default() += 1;
            }
            (PackageName::Environment(name), false) => self.environment = Some(name),
            (PackageName::Environment(name), true) => {
                if self.environment == Some(name) {
                    self.environment = None;
                } else {
                    // `@ ^name`, with a blank, is a group of that strange name.
                    self.groups.remove(format!("^{name}").as_str());
                    *self.excluded_environments.entry(name).or_default() += 1;
                }
            }
        }
    }
}

/// What the headers come to: the last one counts, but for the default and the languages.
fn merged_header(sections: &[Packages]) -> Option<Packages> {
    let last = sections.last()?;
    Some(Packages {
        default: sections.iter().any(|section| section.default),
        languages: sections.iter().rev().find_map(|section| section.languages.clone()),
        entries: Vec::new(),
        body: String::new(),
        ..*last
    })
}

pub(super) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(header) = merged_header(&kickstart.packages) else { return };
    let dashes = DASHES.state(pen.syntax) == State::Active;
    let name = |with: &'static str, without: &'static str| if dashes { with } else { without };
    pen.text("\n%packages")
        .flag("--default", header.default)
        .flag("--excludedocs", header.exclude_docs)
        .flag(NO_BASE, header.no_base)
        .flag(NO_CORE, header.no_core)
        .flag("--ignoremissing", header.ignore_missing)
        .flag("--ignorebroken", header.ignore_broken)
        .option(name("--inst-langs", "--instLangs"), header.languages.as_ref())
        .flag("--multilib", header.multilib)
        .flag(name("--exclude-weakdeps", "--excludeWeakdeps"), header.exclude_weak)
        .option("--timeout", header.timeout_s)
        .option("--retries", header.retries)
        .end();
    write_selection(&kickstart.packages, header.default, pen);
    pen.line("\n%end");
}

fn write_selection(sections: &[Packages], default: bool, pen: &mut Pen) {
    let selection = Selection::of(sections);
    // The default selection has an environment of its own.
    if let Some(environment) = selection.environment.filter(|e| !e.is_empty() && !default) {
        pen.text("@^").text(environment).end();
    }
    for (group, members) in &selection.groups {
        pen.text('@').text(group);
        pen.flag("--nodefaults", *members == GroupMembers::Mandatory).flag("--optional", *members == GroupMembers::All);
        pen.end();
    }
    for package in &selection.packages {
        pen.line(package);
    }
    let groups = selection.excluded_groups.iter().map(|(name, times)| ((*name).to_owned(), times));
    let environments = selection.excluded_environments.iter().map(|(name, times)| (format!("^{name}"), times));
    let mut excluded: Vec<(String, &usize)> = groups.chain(environments).collect();
    excluded.sort_unstable();
    for (name, times) in excluded {
        for _ in 0..*times {
            pen.text("-@").text(&name).end();
        }
    }
    for package in &selection.excluded_packages {
        pen.text('-').text(package).end();
    }
}

#[cfg(test)]
mod tests;
