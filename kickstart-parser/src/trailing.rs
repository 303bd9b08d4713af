//! What stands behind the words of a command: a comment that may have been meant as part of a value.
//!
//! A number sign begins a comment wherever it stands outside quotes, in the middle of a word too.
//! So `rootpw pass#word` sets another password than it seems, and nothing else would say so.

use crate::args::Cx;
use crate::codes;
use crate::commands;
use crate::diagnostic::Diagnostic;
use crate::document::CommandLine;
use crate::lex;
use crate::secret::may_have_password;
use crate::span::{Sources, Span};
use crate::suppress;

/// Look at the comment of a line, whose findings begin at `before`.
pub(crate) fn judge(line: &CommandLine, sources: &Sources, before: usize, cx: &mut Cx<'_>) {
    let name = line.words.first().map_or("", |word| word.value.as_str());
    // Such a command takes its line as it is, comments and all.
    let raw = commands::find(name).is_some_and(|(_, command)| command.spec.raw);
    let Some((comment, text)) = comment(line, sources).filter(|_| !raw) else {
        return;
    };
    let joined = comment.start == line.span.end;
    let needs = [codes::REQUIRED_ARGUMENT.id, codes::REQUIRED_OPTION.id, codes::MISSING_VALUE.id];
    let missing = cx.diagnostics.iter_mut().skip(before).find(|d| needs.contains(&d.code));
    let lacks = missing.is_some();
    if let Some(diagnostic) = missing {
        diagnostic.help = Some("`#` begins a comment: a value that has one needs quotes".to_owned());
    } else if joined {
        let at = Span { end: comment.start + 1, ..comment };
        cx.report(
            Diagnostic::new(&codes::COMMENT_IN_WORD, at, "this begins a comment and ends the word before it")
                .help("put quotes around a value that has a `#`, or a blank before a comment"),
        );
    }
    // It may be the rest of a password, unless it looks like nothing but a comment.
    let remark = text[1..].starts_with([' ', '\t']) && !joined && !lacks;
    if !suppress::is_ours(text) && !remark && (may_have_password(sources.slice(line.span)) || name == "user") {
        cx.secrets.push(Span { start: comment.start + 1, ..comment });
    }
}

/// The comment behind the words, and its text.
fn comment<'a>(line: &CommandLine, sources: &'a Sources) -> Option<(Span, &'a str)> {
    let text = sources.get(line.span.source)?.text();
    let start = line.span.end as usize;
    let rest = text.get(start..)?;
    let rest = rest.get(..lex::lines(rest).next()?.content_end)?;
    let at = rest.find('#')?;
    Some((Span::new(line.span.source, start + at, start + rest.len()), &rest[at..]))
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;
    use crate::{ParseOptions, SourceId, parse};

    #[test]
    fn a_comment_in_a_word_is_told() {
        check(&[
            ("rootpw pass#word", &["W010"]),
            ("rootpw \"pass#word\"", &[]),
            ("rootpw pass # word", &[]),
            ("zerombr#wipe", &["W010"]),
            ("rootpw #secret", &["E208"]),
            ("user --name=a --password=#secret", &["W010"]),
            ("user --name #a", &["E205"]),
        ]);
        let parsed = parse("rootpw #secret\n", "a.ks", &ParseOptions::default());
        assert!(parsed.diagnostics[0].help.as_deref().is_some_and(|help| help.contains('#')));
    }

    #[test]
    fn no_finding_has_a_password_in_it() {
        for line in [
            "rootpw #hush1",
            "rootpw --plaintext x#hush1",
            "rootpw x hush1",
            "rootpw hush1 --x",
            "rootpw=hush1",
            "rootpww hush1",
            "ROOTPW hush1 --plaintxt",
            "user --name=a -password=hush1",
            "user --name=a \u{2013}password=hush1",
            "user --name=a --password=#hush1",
            "user --name=a --passwrod hush1",
            "user --name=a password=hush1",
            "user --name=a password hush1",
            "user --name=a --plaintext=hush1",
            "autopart --encrypted passphrase=hush1",
            "autopart --encrypted -passphrase hush1",
            "autopart --encrypted passphrase hush1",
            "part / --size=1 --passphrase hush1 hush1",
            "network --wpakey=hush1 --x",
            "network --essid=a -wpakey=hush1",
            "bootloader --pasword=hush1",
            "sshpw --username=a --x hush1",
            "vnc --password",
            "vnc -password hush1",
            "rdp --username=a --passwd=hush1",
            "realm join --one-time-password hush1 a b",
            "rhsm --organization=a --activation-key=b --proxy=c --password=hush1",
            "rootpw 'hush1",
            "rootpw hush1 \\",
        ] {
            let text = format!("{line}\ntext\n");
            let parsed = parse(&text, "a.ks", &ParseOptions::default());
            for found in &parsed.diagnostics {
                let said = format!("{} {:?} {:?}", found.message, found.help, found.labels);
                assert!(!said.contains("hush1"), "{line}: {said}");
            }
            // A line without a finding is not shown.
            let shown = parsed.sources.get(SourceId::ROOT).unwrap().shown(0..text.len());
            let wrong = parsed.diagnostics.iter().any(|d| parsed.sources.locate(d.span).line == 1);
            assert!(!wrong || !shown.contains("hush1"), "{line}: {shown}");
        }
    }
}
