//! Files that are written whole or not at all: under another name beside the old one, to the
//! disk, and renamed. What a crash or a full disk leaves is the old file.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Puts what `fill` writes at `path`, with the permissions `mode`. Until it is whole, its owner
/// alone may read it; a failure leaves what was there.
pub fn write<E: From<io::Error>>(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut new = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(directory)?;
    fill(new.as_file_mut())?;
    new.as_file().set_permissions(Permissions::from_mode(mode))?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn it_is_the_old_file_or_the_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let put = |text: &'static str| {
            write(&path, 0o640, |file| {
                file.write_all(text.as_bytes())?;
                if text == "bad" { Err(io::Error::other("no more")) } else { Ok(()) }
            })
        };
        assert_eq!(put("bad").unwrap_err().to_string(), "no more");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left behind");
        put("old").unwrap();
        put("bad").unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        put("new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let nowhere = dir.path().join("none/file");
        assert!(write(&nowhere, 0o600, |_| Ok::<_, io::Error>(())).is_err());
    }
}
