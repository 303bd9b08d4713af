//! Texts back to where they came from: files replaced whole or not at all, and what would
//! change in a form for people.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::Context;
use kickstart_parser::{ParseOptions, Parsed, SourceId, parse};

/// Replaces the text of a file that is there, keeping its mode, and its owner where that is
/// allowed. Other names of the file keep the old text; a symbolic link stays one.
pub fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let what = || format!("writing {}", path.display());
    let real = fs::canonicalize(path).with_context(what)?;
    let meta = fs::metadata(&real).with_context(what)?;
    let (temporary, mut file) = temporary_beside(&real).with_context(what)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| {
        // Only root may give files away; without it the file is the writer's, as with any editor.
        let _ = chown(&temporary, Some(meta.uid()), Some(meta.gid()));
        file.set_permissions(Permissions::from_mode(meta.mode() & 0o7777))
    });
    finish(written, file, &temporary, &real).with_context(what)
}

/// Writes a file that only its owner may read: a kickstart may hold passwords.
pub fn create_private(path: &Path, text: &str) -> anyhow::Result<()> {
    create_private_by(path, |file| {
        file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))
    })
}

/// The same for what `write` writes, as it comes. A failure leaves the old file, or none.
pub fn create_private_by(path: &Path, write: impl FnOnce(&mut File) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let what = || format!("writing {}", path.display());
    // A device or a pipe is written to, not replaced.
    if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        let mut file = OpenOptions::new().write(true).open(path).with_context(what)?;
        return write(&mut file);
    }
    let (temporary, mut file) = temporary_beside(path).with_context(what)?;
    if let Err(error) = write(&mut file) {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    finish(Ok(()), file, &temporary, path).with_context(what)
}

fn finish(written: std::io::Result<()>, file: File, temporary: &Path, path: &Path) -> std::io::Result<()> {
    let done = written.and_then(|()| file.sync_all()).and_then(|()| fs::rename(temporary, path));
    if done.is_err() {
        let _ = fs::remove_file(temporary);
    }
    done
}

/// A new file in the same directory, for the owner alone.
fn temporary_beside(path: &Path) -> std::io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    Ok((temporary, file))
}

/// A text with stars in place of passwords.
pub fn shown(parsed: &Parsed) -> String {
    parsed.sources.get(SourceId::ROOT).map(|source| source.shown(0..source.text().len())).unwrap_or_default()
}

/// What changes from one text of a kickstart to another, with stars in place of passwords.
pub fn diff(name: &str, before: &Parsed, after: &str) -> String {
    let after = parse(after, name, &ParseOptions { syntax: Some(before.syntax), loader: None });
    line_diff(name, &shown(before), &shown(&after))
}

/// Unchanged lines around a change.
const CONTEXT: usize = 3;
/// More pairs of lines than this are not compared one by one.
const MOST: usize = 4_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edit {
    Same,
    Out,
    In,
}

/// The differences of two texts in the unified form.
fn line_diff(name: &str, before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let edits = edits(&old, &new);
    let mut out = String::new();
    let (mut at_old, mut at_new, mut n) = (0, 0, 0);
    while n < edits.len() {
        let Some(first) = edits[n..].iter().position(|e| *e != Edit::Same) else {
            break;
        };
        let lead = first.min(CONTEXT);
        (at_old, at_new, n) = (at_old + first - lead, at_new + first - lead, n + first - lead);
        let length = hunk_length(&edits[n..]);
        let hunk = &edits[n..n + length];
        if out.is_empty() {
            let _ = writeln!(out, "--- {name}\n+++ {name}");
        }
        let count = |not: Edit| hunk.iter().filter(|e| **e != not).count();
        let (olds, news) = (count(Edit::In), count(Edit::Out));
        let _ = writeln!(out, "@@ -{},{olds} +{},{news} @@", at_old + 1, at_new + 1);
        for edit in hunk {
            let (sign, line) = match edit {
                Edit::Same => (' ', old.get(at_old)),
                Edit::Out => ('-', old.get(at_old)),
                Edit::In => ('+', new.get(at_new)),
            };
            let _ = writeln!(out, "{sign}{}", line.copied().unwrap_or_default());
            at_old += usize::from(*edit != Edit::In);
            at_new += usize::from(*edit != Edit::Out);
        }
        n += length;
    }
    out
}

/// Up to the first stretch of unchanged lines that is long enough to part two hunks.
fn hunk_length(edits: &[Edit]) -> usize {
    let (mut end, mut same) = (0, 0);
    for (n, edit) in edits.iter().enumerate() {
        match edit {
            Edit::Same => same += 1,
            _ => (end, same) = (n + 1, 0),
        }
        if end > 0 && same > 2 * CONTEXT {
            break;
        }
    }
    edits.len().min(end + CONTEXT)
}

fn edits(old: &[&str], new: &[&str]) -> Vec<Edit> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (left, right) = (&old[start..], &new[start..]);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    let (left, right) = (&left[..left.len() - end], &right[..right.len() - end]);
    let mut edits = vec![Edit::Same; start];
    if left.len().saturating_mul(right.len()) > MOST {
        edits.extend(left.iter().map(|_| Edit::Out).chain(right.iter().map(|_| Edit::In)));
    } else {
        common(left, right, &mut edits);
    }
    edits.extend(std::iter::repeat_n(Edit::Same, end));
    edits
}

/// By the longest common subsequence.
fn common(old: &[&str], new: &[&str], edits: &mut Vec<Edit>) {
    let width = new.len() + 1;
    let mut length = vec![0u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            length[i * width + j] = if old[i] == new[j] {
                length[(i + 1) * width + j + 1] + 1
            } else {
                length[(i + 1) * width + j].max(length[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        let edit = match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => Edit::Same,
            (Some(_), Some(_)) if length[(i + 1) * width + j] < length[i * width + j + 1] => Edit::In,
            (Some(_), _) => Edit::Out,
            (None, _) => Edit::In,
        };
        edits.push(edit);
        i += usize::from(edit != Edit::In);
        j += usize::from(edit != Edit::Out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences() {
        assert_eq!(line_diff("a", "x\ny\n", "x\ny\n"), "");
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
        let after = before.replace("2\n3", "2\nnew\n3").replace("11\n", "eleven\n");
        let expected = "--- a\n+++ a\n@@ -1,5 +1,6 @@\n 1\n 2\n+new\n 3\n 4\n 5\n\
                        @@ -8,5 +9,5 @@\n 8\n 9\n 10\n-11\n+eleven\n 12\n";
        assert_eq!(line_diff("a", before, &after), expected);
    }

    #[test]
    fn files_are_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("a.ks"), dir.path().join("link.ks"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("a.ks", &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        let secret = dir.path().join("b.ks");
        create_private(&secret, "x").unwrap();
        assert_eq!(fs::metadata(&secret).unwrap().mode() & 0o7777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
        assert!(replace(&dir.path().join("none"), "x").is_err());
    }
}
