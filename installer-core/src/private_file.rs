//! Files that tell of an installation: logs and events. They hold what scripts say, so they are for
//! their owner alone; and since root writes them, perhaps into a directory that others may write to,
//! no link that waits there is followed.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Opens the file at `path` to add to it, and makes it where it is missing. Returns with it how long it
/// was.
pub fn append(path: &Path) -> io::Result<(File, u64)> {
    let mut file = open(path, OpenOptions::new().append(true))?;
    // A pipe has no end to begin at.
    let length = file.seek(SeekFrom::End(0)).unwrap_or(0);
    Ok((file, length))
}

/// Makes the directories on the way to `path` that are missing, for their owner alone.
pub fn create_parents(path: &Path) -> io::Result<()> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => DirBuilder::new().recursive(true).mode(0o700).create(parent),
        None => Ok(()),
    }
}

/// Opens the file at `path`, empty.
pub fn create(path: &Path) -> io::Result<File> {
    let file = open(path, OpenOptions::new().write(true))?;
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(file)
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // What the kernel names itself (`/dev/stderr`, `/dev/fd/3`) are links that no other user can have put there.
    let kernels = ["/dev", "/proc"].iter().any(|top| path.starts_with(top));
    let follow = if kernels { 0 } else { libc::O_NOFOLLOW };
    let file = options.create(!kernels).mode(0o600).custom_flags(follow).open(path).map_err(|error| {
        match error.raw_os_error() {
            Some(libc::ELOOP) => io::Error::other("it is a symbolic link, which is not followed"),
            _ => error,
        }
    })?;
    let meta = file.metadata()?;
    if meta.is_file() && !kernels {
        if meta.nlink() > 1 {
            return Err(io::Error::other("the file has other names as well"));
        }
        // One that was there before may be open to others.
        if meta.mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn they_are_for_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/deep/log");
        create_parents(&path).unwrap();
        append(&path).unwrap().0.write_all(b"one\n").unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap()), mode(&dir.path().join("new"))), (0o600, 0o700, 0o700));
        let (mut again, length) = append(&path).unwrap();
        again.write_all(b"two\n").unwrap();
        assert_eq!((length, fs::read_to_string(&path).unwrap().as_str()), (4, "one\ntwo\n"));
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        create(&path).unwrap().write_all(b"3").unwrap();
        assert_eq!((mode(&path), fs::read_to_string(&path).unwrap().as_str()), (0o600, "3"));
    }

    #[test]
    fn no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let precious = dir.path().join("precious");
        fs::write(&precious, "keep").unwrap();
        for target in [precious.clone(), "precious".into(), dir.path().join("missing")] {
            let link = dir.path().join("link");
            std::os::unix::fs::symlink(target, &link).unwrap();
            let error = append(&link).unwrap_err();
            assert!(error.to_string().contains("symbolic link"), "{error}");
            assert!(create(&link).is_err());
            fs::remove_file(link).unwrap();
        }
        let second = dir.path().join("second");
        fs::hard_link(&precious, &second).unwrap();
        assert!(append(&second).is_err() && create(&second).is_err());
        assert_eq!(fs::read_to_string(&precious).unwrap(), "keep");
        assert!(!dir.path().join("missing").exists());
    }

    #[test]
    fn what_the_kernel_names_is_no_link_of_a_strangers() {
        append(Path::new("/dev/null")).unwrap();
        let (_reader, writer) = io::pipe().unwrap();
        use std::os::fd::AsRawFd;
        create(Path::new(&format!("/dev/fd/{}", writer.as_raw_fd()))).unwrap().write_all(b"x").unwrap();
    }
}
