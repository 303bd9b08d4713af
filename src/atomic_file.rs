//! Texts back to where they came from: files replaced whole or not at all, and what would
//! change in a form for people.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use anyhow::Context;
use installer_core::atomic_file::write;
use kickstart_parser::{ParseOptions, Parsed, SourceId, parse};

/// Replaces the text of a file that is there, keeping its mode, and its owner where that is
/// allowed. Other names of the file keep the old text; a symbolic link stays one.
pub fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let what = || format!("writing {}", path.display());
    let real = fs::canonicalize(path).with_context(what)?;
    let meta = fs::metadata(&real).with_context(what)?;
    let written = write(&real, meta.mode() & 0o7777, |file| {
        // Only root may give files away; without it the file is the writer's, as with any editor.
        let _ = fchown(&*file, Some(meta.uid()), Some(meta.gid()));
        file.write_all(text.as_bytes())
    });
    written.with_context(what)
}

/// Writes a file that only its owner may read: a kickstart may hold passwords.
pub fn create_private(path: &Path, text: &str) -> anyhow::Result<()> {
    create_private_by(path, |file| {
        file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))
    })
}

/// The same for what `fill` writes, as it comes. A failure leaves the old file, or none.
pub fn create_private_by(path: &Path, fill: impl FnOnce(&mut File) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let what = || format!("writing {}", path.display());
    // A device or a pipe is written to, not replaced.
    if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        let mut file = OpenOptions::new().write(true).open(path).with_context(what)?;
        return fill(&mut file);
    }
    write(path, 0o600, fill).with_context(what)
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

/// The differences of two texts in the unified form; nothing where there are none.
fn line_diff(name: &str, before: &str, after: &str) -> String {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    similar::TextDiff::from_slices(&before, &after).unified_diff().header(name, name).to_string()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

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
