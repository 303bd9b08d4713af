//! Files under a target root, written so that no link leads out of it.
//!
//! The target's content comes from an image, and an image may hold any link. Every path is
//! resolved by the kernel with the target as its root (`openat2`, RESOLVE_IN_ROOT): `/etc` in
//! the target is never `/etc` of the machine that installs.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, RenameFlags, ResolveFlags, Stat, Uid, XattrFlags};
use rustix::io::Errno;

/// Files below one directory, by paths from there. No link leads out of it.
pub trait Root: Send + Sync {
    /// The text of the file at `path`; `None` where there is none.
    fn read(&self, path: &str) -> io::Result<Option<String>>;
    /// The file at `path`, open to be read; links are followed inside the root.
    fn file(&self, path: &str) -> io::Result<fs::File>;
    /// The content of the file at `path`.
    fn read_bytes(&self, path: &str) -> io::Result<Vec<u8>>;
    /// Whether something is at `path`, links followed inside the root.
    fn exists(&self, path: &str) -> bool;
    /// Whether a directory itself, and no link to one, is at `path`.
    fn is_dir(&self, path: &str) -> bool;
    /// What the symbolic link at `path` holds; `None` where there is no link.
    fn read_link(&self, path: &str) -> Option<PathBuf>;
    /// What is at `path` itself, a link not followed; `None` where nothing is.
    fn stat(&self, path: &str) -> io::Result<Option<Stat>>;
    /// Gives what is at `path` itself, a link not followed, the extended attribute `name`. Nothing is
    /// written where it is there already, or where the file system keeps none.
    fn set_attribute(&self, path: &str, name: &str, value: &[u8]) -> io::Result<()>;
    /// The names in the directory at `path`; none where there is no directory.
    fn list(&self, path: &str) -> io::Result<Vec<(String, FileType)>>;
    /// Makes the directory `path` and its parents, 0755, where they are missing. A link on the way that
    /// leads to nothing yet gets what it leads to.
    fn create_dirs(&self, path: &str) -> io::Result<()>;
    /// Makes the directory `path` with this mode and owner.
    fn create_dir(&self, path: &str, mode: u32, uid: u32, gid: u32) -> io::Result<()>;
    /// Writes `content` to `path`, whole or not at all. A link at `path` itself is replaced,
    /// not followed. An existing file's owner and mode are kept unless `owner` says otherwise.
    fn write(&self, path: &str, content: &[u8], mode: u32, owner: Option<(u32, u32)>) -> io::Result<()>;
    /// Writes over the file at `path` by a single call and without truncation, as the kernel wants
    /// it where files are something else, such as the variables of the firmware.
    fn overwrite(&self, path: &str, content: &[u8]) -> io::Result<()>;
    /// Opens the file at `path` to add to it, and makes it where it is missing.
    fn append(&self, path: &str) -> io::Result<fs::File>;
    /// Makes `path` a symbolic link to `target`, over whatever file was there.
    fn symlink(&self, path: &str, target: &str) -> io::Result<()>;
    /// Gives the file at `from` the name `to`, over whatever file was there.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Lets two things of one directory change places.
    fn exchange(&self, one: &str, other: &str) -> io::Result<()>;
    /// Removes the file at `path` if there is one; a link itself, not what it names.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Removes the directory at `path` with the files and the empty directories in it. A directory
    /// that holds something stays: it may be a mount point that was not unmounted.
    fn remove_mount_points(&self, path: &str) -> io::Result<()>;
    /// Copies the directory tree at `from` to `to` (both under this root) for its new owner.
    fn copy_tree(&self, from: &str, to: &str, uid: u32, gid: u32) -> io::Result<()>;
}

/// So many links that lead to nothing may follow each other on the way to a new directory.
const MOST_LINKS: u32 = 8;
/// No text file of a system that is read here is larger; a larger one would cost the memory.
const LARGEST_TEXT: u64 = 64 << 20;

/// A directory that is the `/` of another system.
pub struct TargetRoot {
    fd: OwnedFd,
    path: PathBuf,
    /// Whether files get the owners that they are to have; who is not root cannot give them away.
    owners: bool,
}

impl TargetRoot {
    /// Opens `path`.
    pub fn open(path: &Path) -> io::Result<Self> {
        let fd = rustix::fs::openat(CWD, path, OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        Ok(TargetRoot { fd, path: path.to_owned(), owners: true })
    }

    /// The directory at `path` below this one, as a root of its own.
    pub fn enter(&self, path: &str) -> io::Result<Self> {
        let fd = self.resolve(path.trim_start_matches('/'), OFlags::DIRECTORY | OFlags::PATH)?;
        Ok(TargetRoot { fd, path: self.path.join(path.trim_start_matches('/')), owners: self.owners })
    }

    /// Where it is on this machine.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn resolve(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let path = if path.is_empty() { "." } else { path };
        // The kernel may ask to try again when the tree changes under it.
        for _ in 0..16 {
            match rustix::fs::openat2(&self.fd, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                Err(Errno::AGAIN) => {}
                other => return Ok(other?),
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// [`Root::create_dirs`], and the directory.
    fn directory(&self, path: &str) -> io::Result<OwnedFd> {
        self.directory_by_links(path, MOST_LINKS)
    }

    fn directory_by_links(&self, path: &str, links: u32) -> io::Result<OwnedFd> {
        let mut done = String::new();
        let mut dir = self.resolve("", OFlags::PATH | OFlags::DIRECTORY)?;
        for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
            let parent = done.clone();
            done = format!("{done}/{part}");
            dir = match self.resolve(&done, OFlags::PATH | OFlags::DIRECTORY) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    match rustix::fs::mkdirat(&dir, part, Mode::from_raw_mode(0o755)) {
                        // A link that leads to nothing yet.
                        Err(Errno::EXIST) if links > 0 => {
                            let link = rustix::fs::readlinkat(&dir, part, Vec::new())?;
                            let link = link.to_str().map_err(|_| Errno::INVAL)?;
                            let target = if link.starts_with('/') { link.into() } else { format!("{parent}/{link}") };
                            self.directory_by_links(&target, links - 1)?;
                        }
                        other => other?,
                    }
                    self.resolve(&done, OFlags::PATH | OFlags::DIRECTORY)?
                }
                other => other?,
            };
        }
        Ok(dir)
    }

    /// Opens the directory that `path` is in; its name there as well.
    fn parent<'a>(&self, path: &'a str) -> io::Result<(OwnedFd, &'a str)> {
        let (parent, name) = split(path)?;
        Ok((self.resolve(parent, OFlags::PATH | OFlags::DIRECTORY)?, name))
    }

    fn give(&self, fd: &OwnedFd, uid: u32, gid: u32) -> io::Result<()> {
        if self.owners {
            rustix::fs::fchown(fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        }
        Ok(())
    }

    /// The same directory for a process that cannot give files away: they stay its own.
    #[cfg(test)]
    pub fn keeping_owners(mut self) -> Self {
        self.owners = false;
        self
    }
}

impl Root for TargetRoot {
    fn read(&self, path: &str) -> io::Result<Option<String>> {
        match self.resolve(path, OFlags::RDONLY | OFlags::NONBLOCK) {
            Ok(fd) => {
                let (mut text, file) = (String::new(), fs::File::from(fd));
                if (&file).take(LARGEST_TEXT + 1).read_to_string(&mut text)? as u64 > LARGEST_TEXT {
                    return Err(io::Error::other("the file is too large"));
                }
                Ok(Some(text))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.resolve(path, OFlags::PATH).is_ok()
    }

    fn file(&self, path: &str) -> io::Result<fs::File> {
        let file = fs::File::from(self.resolve(path, OFlags::RDONLY | OFlags::NONBLOCK)?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a file")) }
    }

    fn stat(&self, path: &str) -> io::Result<Option<Stat>> {
        match self.resolve(path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(fd) => Ok(Some(rustix::fs::fstat(&fd)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn set_attribute(&self, path: &str, name: &str, value: &[u8]) -> io::Result<()> {
        // There are no such calls by a directory and a name. The link of the kernel's leads to the
        // very directory, and the last part of the path is not followed.
        let (held, last) = match split(path) {
            Ok(_) => self.parent(path)?,
            Err(_) => (self.resolve(path, OFlags::PATH)?, "."),
        };
        let place = format!("/proc/self/fd/{}/{last}", held.as_raw_fd());
        let mut has = [0; 256];
        if rustix::fs::lgetxattr(&place, name, &mut has).is_ok_and(|size| has.get(..size) == Some(value)) {
            return Ok(());
        }
        match rustix::fs::lsetxattr(&place, name, value, XattrFlags::empty()) {
            Err(Errno::OPNOTSUPP) => Ok(()),
            other => Ok(other?),
        }
    }

    fn list(&self, path: &str) -> io::Result<Vec<(String, FileType)>> {
        let fd = match self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(fd)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push((name, entry.file_type()));
            }
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(names)
    }

    fn create_dir(&self, path: &str, mode: u32, uid: u32, gid: u32) -> io::Result<()> {
        self.directory(path)?;
        let fd = self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        self.give(&fd, uid, gid)?;
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode))?;
        Ok(())
    }

    fn write(&self, path: &str, content: &[u8], mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
        let (parent, name) = split(path)?;
        let dir = self.directory(parent)?;
        let old = rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW).ok();
        let old = old.filter(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
        let temporary = format!(".{name}.bootc-ks");
        let _ = rustix::fs::unlinkat(&dir, temporary.as_str(), AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&dir, temporary.as_str(), flags, Mode::from_raw_mode(0o600))?;
        let (uid, gid) = owner.or(old.map(|stat| (stat.st_uid, stat.st_gid))).unwrap_or((0, 0));
        let mode = old.filter(|_| owner.is_none()).map_or(mode, |stat| stat.st_mode & 0o7777);
        self.give(&fd, uid, gid)?;
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode))?;
        let mut file = fs::File::from(fd);
        file.write_all(content)?;
        file.sync_all()?;
        rustix::fs::renameat(&dir, temporary.as_str(), &dir, name)?;
        Ok(())
    }

    fn symlink(&self, path: &str, target: &str) -> io::Result<()> {
        let (parent, name) = split(path)?;
        let dir = self.directory(parent)?;
        match rustix::fs::unlinkat(&dir, name, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => return Err(error.into()),
            _ => {}
        }
        rustix::fs::symlinkat(target, &dir, name)?;
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let (parent, name) = split(path)?;
        let dir = match self.resolve(parent, OFlags::PATH | OFlags::DIRECTORY) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        match rustix::fs::unlinkat(&dir, name, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn copy_tree(&self, from: &str, to: &str, uid: u32, gid: u32) -> io::Result<()> {
        for (name, kind) in self.list(from)? {
            let (source, target) = (format!("{from}/{name}"), format!("{to}/{name}"));
            match kind {
                FileType::Directory => {
                    self.create_dir(&target, 0o755, uid, gid)?;
                    self.copy_tree(&source, &target, uid, gid)?;
                }
                FileType::RegularFile => {
                    let fd = self.resolve(&source, OFlags::RDONLY | OFlags::NOFOLLOW)?;
                    let mode = rustix::fs::fstat(&fd)?.st_mode & 0o777;
                    let mut content = Vec::new();
                    fs::File::from(fd).read_to_end(&mut content)?;
                    self.write(&target, &content, mode, Some((uid, gid)))?;
                }
                FileType::Symlink => {
                    let (parent, base) = split(&source)?;
                    let dir = self.resolve(parent, OFlags::PATH | OFlags::DIRECTORY)?;
                    let link = rustix::fs::readlinkat(&dir, base, Vec::new())?;
                    self.symlink(&target, &link.to_string_lossy())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_bytes(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.file(path)?.read_to_end(&mut content)?;
        Ok(content)
    }

    fn is_dir(&self, path: &str) -> bool {
        self.resolve(path, OFlags::PATH | OFlags::NOFOLLOW)
            .and_then(|fd| Ok(rustix::fs::fstat(&fd)?))
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
    }

    fn read_link(&self, path: &str) -> Option<PathBuf> {
        let (dir, name) = self.parent(path).ok()?;
        let link = rustix::fs::readlinkat(&dir, name, Vec::new()).ok()?;
        Some(PathBuf::from(std::ffi::OsString::from_vec(link.into_bytes())))
    }

    fn create_dirs(&self, path: &str) -> io::Result<()> {
        self.directory(path).map(drop)
    }

    fn overwrite(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let (dir, name) = self.parent(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&dir, name, flags, Mode::from_raw_mode(0o644))?;
        let written = fs::File::from(fd).write(content)?;
        if written < content.len() { Err(io::Error::other("only a part was taken")) } else { Ok(()) }
    }

    fn append(&self, path: &str) -> io::Result<fs::File> {
        let (dir, name) = self.parent(path)?;
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(fs::File::from(rustix::fs::openat(&dir, name, flags, Mode::from_raw_mode(0o600))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let ((old, from), (new, to)) = (self.parent(from)?, self.parent(to)?);
        Ok(rustix::fs::renameat(&old, from, &new, to)?)
    }

    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        let ((first, one), (second, other)) = (self.parent(one)?, self.parent(other)?);
        match rustix::fs::renameat_with(&first, one, &second, other, RenameFlags::EXCHANGE) {
            // A file system that cannot do it at once: for a moment the first name leads nowhere.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                let aside = format!("{other}.aside");
                rustix::fs::renameat(&first, one, &second, aside.as_str())?;
                rustix::fs::renameat(&second, other, &first, one)?;
                Ok(rustix::fs::renameat(&second, aside.as_str(), &second, other)?)
            }
            outcome => Ok(outcome?),
        }
    }

    fn remove_mount_points(&self, path: &str) -> io::Result<()> {
        for (name, kind) in self.list(path)? {
            let (dir, _) = self.parent(&format!("{path}/{name}"))?;
            let flags = if kind == FileType::Directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
            rustix::fs::unlinkat(&dir, name.as_str(), flags)?;
        }
        let (dir, name) = self.parent(path)?;
        Ok(rustix::fs::unlinkat(&dir, name, AtFlags::REMOVEDIR)?)
    }
}

fn split(path: &str) -> io::Result<(&str, &str)> {
    let path = path.trim_end_matches('/');
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name.is_empty() || name == ".." || name == "." {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("'{path}' names no file")));
    }
    Ok((parent, name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn target() -> (tempfile::TempDir, TargetRoot) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        let root = TargetRoot::open(&dir.path().join("root")).unwrap();
        (dir, root)
    }

    #[test]
    fn no_link_leads_out() {
        let (dir, root) = target();
        let outside = dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        symlink(&outside, root.path().join("etc")).unwrap();
        symlink("../../../../outside", root.path().join("var")).unwrap();
        // Links are taken from the target's own root, where what they lead to is made.
        root.write("/etc/passwd", b"x", 0o644, None).unwrap();
        root.write("/var/file", b"x", 0o644, None).unwrap();
        assert!(root.path().join("outside/file").exists());
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }

    #[test]
    fn links_inside_are_followed_and_a_link_at_the_end_is_replaced() {
        let (dir, root) = target();
        symlink("/var/home", root.path().join("home")).unwrap();
        root.create_dirs("var/home").unwrap();
        root.write("/home/file", b"x", 0o600, None).unwrap();
        assert_eq!(fs::read(root.path().join("var/home/file")).unwrap(), b"x");
        let outside = dir.path().join("secret");
        fs::write(&outside, "keep").unwrap();
        symlink(&outside, root.path().join("link")).unwrap();
        root.write("/link", b"new", 0o644, None).unwrap();
        assert_eq!(fs::read(&outside).unwrap(), b"keep");
        assert_eq!(fs::read(root.path().join("link")).unwrap(), b"new");
    }

    #[test]
    fn a_link_to_nothing_gets_its_directory_inside() {
        let (dir, root) = target();
        for (link, to) in [
            ("srv", "var/srv"),
            ("opt", "/var/opt"),
            ("home", "./var/../var/home"),
            ("deep", "srv/deep"),
            ("out", "../../../../outside"),
            ("far", "/outside/far"),
        ] {
            symlink(to, root.path().join(link)).unwrap();
            root.create_dir(&format!("/{link}/a/b"), 0o700, 0, 0).unwrap_or_else(|_| root.create_dirs(link).unwrap());
            assert!(root.path().join(link).symlink_metadata().unwrap().is_symlink(), "{link}");
        }
        for made in ["var/srv", "var/opt", "var/home", "var/srv/deep", "outside", "outside/far"] {
            assert!(root.path().join(made).is_dir(), "{made}");
        }
        assert!(!dir.path().join("outside").exists());
        symlink("b", root.path().join("a")).unwrap();
        symlink("a", root.path().join("b")).unwrap();
        assert!(root.create_dirs("a/x").is_err());
    }

    #[test]
    fn attributes_and_looks_are_of_the_link_itself() {
        let (dir, root) = target();
        let secret = dir.path().join("secret");
        fs::write(&secret, "").unwrap();
        symlink(&secret, root.path().join("link")).unwrap();
        symlink("../..", root.path().join("up")).unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        let kind = |path: &str| root.stat(path).unwrap().map(|stat| FileType::from_raw_mode(stat.st_mode));
        assert_eq!(kind("link"), Some(FileType::Symlink));
        assert_eq!((kind("file"), kind("none")), (Some(FileType::RegularFile), None));
        // From here the way up leads to the root again.
        assert_eq!(kind("up/secret"), None);
        root.set_attribute("file", "user.x", b"1").unwrap();
        // A link has no attributes of users, and its target is not what was asked for.
        assert!(root.set_attribute("link", "user.x", b"1").is_err());
        let mut value = [0; 8];
        assert!(rustix::fs::getxattr(&secret, "user.x", &mut value).is_err());
        root.set_attribute("", "user.x", b"1").unwrap();
        assert!(rustix::fs::getxattr(root.path(), "user.x", &mut value).is_ok_and(|size| size == 1));
    }

    #[test]
    fn an_existing_file_keeps_its_mode() {
        let (_dir, root) = target();
        root.write("/shadow", b"a", 0o640, None).unwrap();
        root.write("/shadow", b"b", 0o644, None).unwrap();
        let mode = fs::metadata(root.path().join("shadow")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(root.read("/shadow").unwrap().as_deref(), Some("b"));
        assert_eq!(root.read("/none").unwrap(), None);
    }
}
