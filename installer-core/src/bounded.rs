//! Files that come from outside, read with a limit: a name can lead to a device that never ends.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// More than any real document has: configuration files, credentials, facts, plans.
pub const DOCUMENT: u64 = 16 << 20;

/// Opens the regular file at `path`. A pipe or a device under that name is refused and not waited for.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"))
}

/// The bytes of the file at `path`, if they are no more than `limit`.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut data)?;
    if data.len() as u64 > limit {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {limit} bytes")));
    }
    Ok(data)
}

/// [`read`] for text.
pub fn read_to_string(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        for path in [pipe.as_path(), dir.path(), Path::new("/dev/null")] {
            assert_eq!(open_regular(path).unwrap_err().kind(), ErrorKind::InvalidInput, "{path:?}");
        }
    }

    #[test]
    fn what_has_no_end_is_not_waited_for() {
        assert_eq!(read(Path::new("/dev/zero"), 1000).unwrap_err().kind(), ErrorKind::FileTooLarge);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("text");
        std::fs::write(&file, "four").unwrap();
        assert_eq!(read_to_string(&file, 4).unwrap(), "four");
        assert!(read(&file, 3).is_err());
        std::fs::write(&file, b"\xff").unwrap();
        assert_eq!(read_to_string(&file, 4).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
