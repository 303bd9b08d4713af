//! A lint over scripts: packages that `%post` installs beside an image.
//!
//! A script is read as words, not as a shell would: enough to tell a command from a comment,
//! a text that is printed, or a file that is written.

use super::system::installs_image;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::{Kickstart, Script, ScriptKind};
use crate::shell::{here_document, without_comment};
use crate::span::Span;

/// One finding for each script, at its header, where a comment can allow it.
pub(super) fn lint(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    if !installs_image(kickstart) {
        return;
    }
    for script in kickstart.scripts.iter().filter(|s| s.kind == ScriptKind::Post && !s.no_chroot && is_shell(s)) {
        if let Some((manager, verb, at)) = package_change(script) {
            let message = format!("`{manager} {verb}` changes a system that comes out of an image");
            found.push(
                Diagnostic::new(&codes::PACKAGES_IN_POST, script.span, message)
                    .label(at, "the next update undoes this")
                    .help("change packages when the image is built"),
            );
        }
    }
}

fn is_shell(script: &Script) -> bool {
    script.interpreter.as_ref().is_none_or(|program| program.trim_end().ends_with("sh"))
}

const MANAGERS: &[&str] = &["dnf", "dnf5", "dnf-3", "yum", "microdnf"];

const VERBS: &[&str] = &[
    "install",
    "localinstall",
    "groupinstall",
    "group",
    "update",
    "upgrade",
    "distro-sync",
    "reinstall",
    "downgrade",
    "swap",
    "remove",
    "erase",
    "autoremove",
];

/// Words behind which a command begins.
const BEFORE: &[&str] =
    &["if", "then", "else", "elif", "do", "while", "until", "!", "sudo", "exec", "time", "nice", "env"];

/// The first command that changes packages, and where.
fn package_change(script: &Script) -> Option<(&str, &str, Span)> {
    let mut reader = Reader::default();
    let mut rest = script.body.as_str();
    for stretch in &script.body_spans {
        let (text, after) = rest.split_at_checked(stretch.len()).unwrap_or((rest, ""));
        rest = after;
        let mut at = stretch.start as usize;
        for line in text.split_inclusive('\n') {
            if let Some((manager, verb)) = reader.line(line.trim_end_matches(['\n', '\r'])) {
                let begin = at + (line.len() - line.trim_start().len());
                return Some((manager, verb, Span::new(stretch.source, begin, at + line.trim_end().len())));
            }
            at += line.len();
        }
    }
    None
}

/// What is remembered from line to line.
#[derive(Default)]
struct Reader<'a> {
    /// The word that ends a text which is no part of the script.
    here: Option<&'a str>,
    /// The command goes on: a package manager, if it is one.
    open: Option<Option<&'a str>>,
}

impl<'a> Reader<'a> {
    /// The manager and what it is to do, if that becomes clear on this line.
    fn line(&mut self, line: &'a str) -> Option<(&'a str, &'a str)> {
        if let Some(end) = self.here {
            if line.trim() == end {
                self.here = None;
            }
            return None;
        }
        let code = without_comment(line);
        self.here = here_document(code);
        let (code, goes_on) = match code.strip_suffix('\\') {
            Some(code) => (code, true),
            None => (code, false),
        };
        // Whether a command may begin, and the package manager whose verb is awaited.
        let (mut fresh, mut manager) = self.open.take().map_or((true, None), |manager| (false, manager));
        for (word, ends) in words(code) {
            if let Some(name) = manager {
                if VERBS.contains(&word) && !code.contains("--installroot") {
                    return Some((name, word));
                }
                // Options may stand before the verb.
                manager = manager.filter(|_| word.starts_with('-') || word.is_empty());
            } else if fresh && !word.is_empty() {
                let name = word.rsplit('/').next().unwrap_or(word);
                manager = MANAGERS.contains(&name).then_some(name);
                fresh = BEFORE.contains(&word) || is_assignment(word);
            }
            if ends {
                (fresh, manager) = (true, None);
            }
        }
        self.open = goes_on.then_some(manager);
        None
    }
}

/// Words, each with whether a command ends behind it.
fn words(code: &str) -> impl Iterator<Item = (&str, bool)> {
    code.split_inclusive([' ', '\t', ';', '&', '|', '(', ')', '{', '}', '`']).map(|piece| {
        match piece.strip_suffix([' ', '\t']) {
            Some(word) => (word, false),
            None => {
                let word = piece.trim_end_matches([';', '&', '|', '(', ')', '{', '}', '`']);
                (word, word.len() < piece.len())
            }
        }
    })
}

/// `NAME=value` before a command is no command.
fn is_assignment(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use crate::{ParseOptions, parse};

    /// The line that a script's label is on, counted from the script's first.
    fn found(header: &str, body: &str) -> Option<usize> {
        let text = format!("autopart\nrootpw x\nostreecontainer --url=a\n%post{header}\n{body}\n%end\n");
        let parsed = parse(&text, "a.ks", &ParseOptions::default());
        let finding = parsed.diagnostics.first()?;
        assert_eq!((finding.code, parsed.sources.locate(finding.span).line), ("L034", 4), "{text}");
        Some(parsed.sources.locate(finding.labels[0].span).line - 4)
    }

    #[test]
    fn commands_are_found() {
        for (body, line) in [
            ("dnf install -y tmux", 1),
            ("true\n  dnf -y install tmux", 2),
            ("/usr/bin/yum -y --nogpgcheck update", 1),
            ("cd / && dnf5 remove x", 1),
            ("if true; then dnf install x; fi", 1),
            ("LANG=C sudo dnf install x", 1),
            ("dnf -y \\\n  install x", 2),
            ("x=$(dnf install y)", 1),
            ("cat <<EOF\ntext\nEOF\ndnf install x", 4),
            ("dnf clean all;yum install x", 1),
        ] {
            assert_eq!(found("", body), Some(line), "{body}");
        }
        assert_eq!(found(" --interpreter=/bin/bash", "dnf install x"), Some(1));
    }

    #[test]
    fn what_is_no_command_is_not() {
        for body in [
            "# dnf install x",
            "true # dnf install x",
            "echo dnf install x",
            "echo \"run dnf install x\"",
            "cat > /usr/local/bin/first <<'EOF'\ndnf install x\nEOF",
            "dnf clean all",
            "dnf config-manager --set-enabled install",
            "mydnf install x",
            "dnf --installroot=/mnt install x",
            "rm -f dnf install",
            "systemctl enable dnf-automatic-install.timer",
            "echo \\\n  dnf install x",
        ] {
            assert_eq!(found("", body), None, "{body}");
        }
        assert_eq!(found(" --nochroot", "dnf install x"), None);
        assert_eq!(found(" --interpreter=/usr/bin/python3", "dnf install x"), None);
    }

    #[test]
    fn packages_are_no_concern_where_there_is_no_image() {
        let text = "autopart\nrootpw x\nurl --url=http://x/\n%post\ndnf install x\n%end\n";
        let parsed = parse(text, "a.ks", &ParseOptions::default());
        assert!(parsed.diagnostics.iter().all(|d| d.code != "L034"));
    }
}
