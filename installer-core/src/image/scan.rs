//! What the layers hold, of what an installer asks about: one pass over each tar stream, then
//! the layers put over each other with their whiteouts. Holds names and small texts, never the
//! image; how to unpack is none of its business.
//!
//! In ostree-encapsulated images a file is an object of the repository followed by hard links
//! that give it its names, so the last object is kept at hand until the next one comes.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use super::initramfs;

/// What is wanted of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    Nothing,
    /// Whether it is there.
    Name,
    /// How large it is, if that is known when its name is.
    Size,
    /// Its text.
    Content,
    /// The modules in it.
    Modules,
}

/// A file, as far as it was wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum File {
    Name,
    /// Its size in bytes.
    Sized(u64),
    Content(Vec<u8>),
    /// Its size in bytes, and the modules.
    Modules(u64, Option<Vec<String>>),
    /// A symbolic link, to a path from the root.
    Link(String),
}

impl File {
    fn size(&self) -> Option<u64> {
        match self {
            File::Sized(size) | File::Modules(size, _) => Some(*size),
            File::Content(raw) => Some(raw.len() as u64),
            File::Name | File::Link(_) => None,
        }
    }
}

/// What a layer says of a path.
#[derive(Debug, PartialEq)]
enum Mark {
    File(File),
    /// A directory, or something unwanted that hides what lies under this path below.
    Directory,
    Hides,
}

/// One layer.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub entries: u64,
    /// Sizes of regular files, each rounded up to 4 KiB.
    pub unpacked: u64,
    gone: Vec<String>,
    emptied: Vec<String>,
    marks: Vec<(String, Mark)>,
    /// Hard links to content that had gone by before its name was known: target → names.
    pub unread: BTreeMap<String, Vec<String>>,
}

/// No configuration file is larger.
const MAX_TEXT: u64 = 1 << 20;
/// Repository objects up to this size are kept until their name is known.
const MAX_OBJECT: u64 = 256 << 10;
const OBJECTS: &str = "sysroot/ostree/repo/objects/";

/// Goes through a layer's tar stream, to the very end so that its digests get verified.
/// `want` also decides, by [`Want::Nothing`], what may be forgotten; `near` says whether a path
/// is on the way to wanted ones, so that a link or file there is known to hide them.
pub(super) fn layer(reader: impl Read, want: &dyn Fn(&str) -> Want, near: &dyn Fn(&str) -> bool) -> io::Result<Layer> {
    let mut archive = tar::Archive::new(reader);
    let mut layer = Layer::default();
    let mut object: Option<(String, File)> = None;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            continue;
        }
        layer.entries += 1;
        let path = normal(&entry.path_bytes())?;
        if kind.is_file() {
            layer.unpacked = layer.unpacked.saturating_add(entry.size().next_multiple_of(4096));
        }
        if layer.whiteout(&path) {
            continue;
        }
        if kind.is_dir() {
            layer.marks.push((path, Mark::Directory));
            continue;
        }
        let wanted = want(&path);
        if path.starts_with(OBJECTS) && path.ends_with(".file") && wanted == Want::Nothing {
            let file = match entry.link_name_bytes() {
                // Where it leads depends on the name it gets.
                Some(target) if kind.is_symlink() => Some(File::Link(String::from_utf8_lossy(&target).into_owned())),
                _ if kind.is_file() => Some(unnamed(&mut entry)?),
                _ => None,
            };
            object = file.map(|file| (path, file));
            continue;
        }
        if wanted == Want::Nothing {
            if near(&path) {
                layer.marks.push((path, Mark::Hides));
            }
            continue;
        }
        let link = entry.link_name_bytes().map(|name| name.into_owned());
        let file = match (kind, link) {
            (tar::EntryType::Symlink, Some(target)) => File::Link(follow(&path, &String::from_utf8_lossy(&target))),
            (tar::EntryType::Link, Some(target)) => {
                let target = normal(&target)?;
                let known = match &object {
                    Some((name, File::Link(lead))) if *name == target => Some(File::Link(follow(&path, lead))),
                    Some((name, file)) if *name == target => Some(file.clone()),
                    _ => layer.known(&target).cloned(),
                };
                known.and_then(|file| serve(file, wanted)).unwrap_or_else(|| {
                    // A size is not worth a second pass.
                    if !matches!(wanted, Want::Name | Want::Size) {
                        layer.unread.entry(target).or_default().push(path.clone());
                    }
                    File::Name
                })
            }
            _ => take(&mut entry, wanted)?,
        };
        layer.marks.push((path, Mark::File(file)));
    }
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(layer)
}

/// Reads what is wanted of an entry.
fn take(entry: &mut tar::Entry<'_, impl Read>, wanted: Want) -> io::Result<File> {
    let size = entry.size();
    match wanted {
        Want::Content if size <= MAX_TEXT => {
            let mut text = Vec::new();
            entry.read_to_end(&mut text)?;
            Ok(File::Content(text))
        }
        Want::Modules => list(&[], entry, size),
        Want::Size => Ok(File::Sized(size)),
        _ => Ok(File::Name),
    }
}

/// Lists an initramfs of `size` bytes, of which `begun` was read already. That it is garbage is an answer; that
/// the stream under it broke is an error.
fn list(begun: &[u8], rest: &mut impl Read, size: u64) -> io::Result<File> {
    let mut watched = Watch { inner: rest, error: None };
    let modules = initramfs::modules(Cursor::new(begun).chain(&mut watched));
    match watched.error {
        Some(error) => Err(error),
        None => Ok(File::Modules(size, modules)),
    }
}

/// A repository object whose names are not known yet: kept if it is small, listed if it begins
/// as an initramfs does, else its size.
fn unnamed(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<File> {
    let size = entry.size();
    if size <= MAX_OBJECT {
        return take(entry, Want::Content);
    }
    let mut magic = [0; 6];
    entry.read_exact(&mut magic)?;
    if initramfs::looks_like_one(&magic) { list(&magic, entry, size) } else { Ok(File::Sized(size)) }
}

/// What is wanted, out of what is at hand; `None` if it is not in there.
fn serve(file: File, wanted: Want) -> Option<File> {
    match (wanted, file) {
        (Want::Modules, File::Content(raw)) => Some(File::Modules(raw.len() as u64, initramfs::modules(&raw[..]))),
        (Want::Modules, file @ File::Modules(..)) | (Want::Content, file @ File::Content(_)) => Some(file),
        (_, file @ File::Link(_)) => Some(file),
        (Want::Size, file) => file.size().map(File::Sized),
        (Want::Name, _) => Some(File::Name),
        _ => None,
    }
}

struct Watch<R> {
    inner: R,
    error: Option<io::Error>,
}

impl<R: Read> Read for Watch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.error = Some(error);
            }
            kind.into()
        })
    }
}

/// A path from the root of the image, without slash in front; `usr/etc` is ostree's place for
/// `etc`. A path that leaves the image is an error: no tool packs one by mistake.
fn normal(raw: &[u8]) -> io::Result<String> {
    let text = String::from_utf8_lossy(raw);
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("the entry '{text}' leads out of the image"),
                ));
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    Ok(path.strip_prefix("usr/etc/").map_or(path.clone(), |rest| format!("etc/{rest}")))
}

/// Where the symbolic link at `path` leads. Leading out of the root stays in the root, as it
/// does for a kernel.
fn follow(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { path.split('/').collect() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

impl Layer {
    /// Notes a whiteout; true if it was one.
    fn whiteout(&mut self, path: &str) -> bool {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(hidden) = name.strip_prefix(".wh.") else { return false };
        if hidden == ".wh..opq" {
            self.emptied.push(dir.to_owned());
        } else if !hidden.starts_with(".wh.") && !hidden.is_empty() {
            self.gone.push(if dir.is_empty() { hidden.to_owned() } else { format!("{dir}/{hidden}") });
        }
        true
    }

    fn known(&self, path: &str) -> Option<&File> {
        self.marks.iter().rev().find_map(|(name, mark)| match mark {
            Mark::File(file) if name == path => Some(file),
            _ => None,
        })
    }

    /// Fills in what a second pass has read: files under their targets' names.
    pub fn fill(&mut self, second: &Layer) {
        for (target, names) in std::mem::take(&mut self.unread) {
            let Some(file) = second.known(&target) else { continue };
            for (name, mark) in &mut self.marks {
                if names.contains(name) {
                    *mark = Mark::File(file.clone());
                }
            }
        }
    }
}

/// The files of the merged image, by path.
#[derive(Debug, Default)]
pub(super) struct Merged(BTreeMap<String, File>);

impl Merged {
    /// Puts `layer` over what is there. Whiteouts hide what is below only, wherever in the
    /// layer they stand.
    pub fn put(&mut self, layer: Layer) {
        for dir in &layer.emptied {
            self.remove_under(dir);
        }
        for path in &layer.gone {
            self.0.remove(path);
            self.remove_under(path);
        }
        for (path, mark) in layer.marks {
            match mark {
                Mark::Directory => {
                    self.0.remove(&path);
                }
                Mark::Hides => {
                    self.0.remove(&path);
                    self.remove_under(&path);
                }
                Mark::File(file) => {
                    self.remove_under(&path);
                    self.0.insert(path, file);
                }
            }
        }
    }

    fn remove_under(&mut self, dir: &str) {
        if dir.is_empty() {
            return self.0.clear();
        }
        // '0' follows '/' in ASCII: between the two lie exactly the paths under the directory.
        let under: Vec<String> =
            self.0.range(format!("{dir}/")..format!("{dir}0")).map(|(path, _)| path.clone()).collect();
        for path in under {
            self.0.remove(&path);
        }
    }

    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Every file as it is, by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.0.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// The file at `path`, through symbolic links.
    pub fn file(&self, path: &str) -> Option<&File> {
        let mut file = self.0.get(path)?;
        for _ in 0..8 {
            match file {
                File::Link(target) => file = self.0.get(target)?,
                file => return Some(file),
            }
        }
        None
    }

    /// The size of the file at `path`, as far as it was asked for.
    pub fn size(&self, path: &str) -> Option<u64> {
        self.file(path)?.size()
    }

    /// The text at `path`.
    pub fn text(&self, path: &str) -> Option<&[u8]> {
        match self.file(path)? {
            File::Content(text) => Some(text),
            _ => None,
        }
    }
}
