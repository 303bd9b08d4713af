//! The kernel's table of mounts (proc_pid_mountinfo(5)), as entries.

use std::io;
use std::path::PathBuf;

/// Something that is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `major:minor` of the file system's device. A btrfs has a number of its own.
    pub number: String,
    /// Where.
    pub target: PathBuf,
    /// The file system's type.
    pub filesystem: String,
    /// The device, or the name that a kernel file system has in place of one.
    pub source: String,
    /// The file system's own options.
    pub options: String,
}

/// What this thread sees mounted, in the order of the mounts: the mount namespace is the thread's,
/// and not the process's.
pub fn of_this_thread() -> io::Result<Vec<Entry>> {
    Ok(entries(&std::fs::read_to_string("/proc/thread-self/mountinfo")?))
}

/// The entries of a table.
pub fn entries(table: &str) -> Vec<Entry> {
    table.lines().filter_map(entry).collect()
}

/// `36 35 98:0 /sub /mnt rw,noatime master:1 - btrfs /dev/sda2 rw,subvol=/sub`
fn entry(line: &str) -> Option<Entry> {
    // There may be any number of optional fields before the hyphen.
    let (fields, rest) = line.split_once(" - ")?;
    let mut fields = fields.split(' ').skip(2);
    let number = fields.next()?.to_owned();
    let target = PathBuf::from(unescape(fields.nth(1)?));
    let mut rest = rest.split(' ');
    let (filesystem, source) = (rest.next()?.to_owned(), unescape(rest.next()?));
    Some(Entry { number, target, filesystem, source, options: rest.next().unwrap_or_default().to_owned() })
}

/// The kernel writes space, tab, newline and backslash as octal numbers, here and in `/proc/swaps`.
pub fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_is_read() {
        let table = "36 35 98:0 /sub /mnt/a\\040b\\134c rw,noatime shared:5 master:1 - btrfs /dev/sda2 rw,subvol=/sub\n\
                     37 36 0:5 / /proc rw - proc proc rw\nno entry\n";
        let [disk, proc] = entries(table).try_into().unwrap();
        assert_eq!((disk.number.as_str(), disk.target.to_str().unwrap()), ("98:0", "/mnt/a b\\c"));
        assert_eq!((disk.filesystem.as_str(), disk.source.as_str()), ("btrfs", "/dev/sda2"));
        assert_eq!(disk.options, "rw,subvol=/sub");
        assert_eq!((proc.target.to_str().unwrap(), proc.source.as_str()), ("/proc", "proc"));
    }

    #[test]
    fn this_threads_own_table_has_the_root() {
        assert!(of_this_thread().unwrap().iter().any(|entry| entry.target.to_str() == Some("/")));
    }
}
