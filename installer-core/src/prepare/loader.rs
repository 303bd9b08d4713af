//! The files that a kickstart includes, from the file system.
//!
//! A relative name is looked for in the working directory first and then
//! beside the file that includes it, as every kickstart tool does. What is
//! not a file (`http://…`) goes to a function that the caller passes in;
//! `check` and the Python module pass none, so that looking at a kickstart starts no connection.

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use kickstart_parser::{IncludeRequest, LoadError, Loaded, Loader};

/// Fetches a URL, or says why not.
pub type Fetch<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Loads included files from the file system.
#[derive(Clone, Copy, Default)]
pub struct FileLoader<'a> {
    fetch: Option<Fetch<'a>>,
}

impl<'a> FileLoader<'a> {
    /// A loader that reads files and fetches nothing.
    pub fn new() -> Self {
        FileLoader::default()
    }

    /// Let URLs be fetched.
    pub fn with_fetch(fetch: Fetch<'a>) -> Self {
        FileLoader { fetch: Some(fetch) }
    }

    fn fetch(&self, url: &str) -> Result<Loaded, LoadError> {
        let Some(fetch) = self.fetch else {
            return Err(LoadError {
                message: "it is not a file, and nothing is fetched here".to_owned(),
                help: Some("download it and check the copy".to_owned()),
            });
        };
        match fetch(url) {
            Ok(text) => Ok(Loaded { path: url.to_owned(), text }),
            Err(message) => Err(LoadError { message, help: None }),
        }
    }
}

impl Loader for FileLoader<'_> {
    fn load(&self, request: IncludeRequest<'_>) -> Result<Loaded, LoadError> {
        // A file that came over the network includes its neighbours from there.
        if is_url(request.name) {
            return self.fetch(request.name);
        }
        if is_url(request.from)
            && !request.name.starts_with('/')
            && let Some((base, _)) = request.from.rsplit_once('/')
        {
            return self.fetch(&format!("{base}/{}", request.name));
        }
        let mut tried = Vec::new();
        for path in candidates(request.name, request.from) {
            match read(&path) {
                Ok(text) => {
                    return Ok(Loaded { path: tidy(&path), text });
                }
                Err(error) if error.kind() == ErrorKind::NotFound => tried.push(tidy(&path)),
                Err(error) => {
                    return Err(LoadError { message: describe(&error), help: None });
                }
            }
        }
        Err(LoadError {
            message: "there is no such file".to_owned(),
            help: Some(format!("looked for {}", tried.join(" and "))),
        })
    }
}

fn is_url(name: &str) -> bool {
    name.contains("://")
}

fn candidates(name: &str, from: &str) -> Vec<PathBuf> {
    let here = PathBuf::from(name);
    let beside = Path::new(from).parent().map(|dir| dir.join(name));
    match beside {
        Some(beside) if here.is_relative() && beside != here => vec![here, beside],
        _ => vec![here],
    }
}

/// One name per file, or a file that includes itself by way of `./` would
/// not be recognised.
fn tidy(path: &Path) -> String {
    path.components().collect::<PathBuf>().to_string_lossy().into_owned()
}

/// More than any kickstart has, and little enough to hold.
const MAX_BYTES: u64 = 64 << 20;

/// Read a text; bytes that are no UTF-8 are an error that says where. Devices are not read:
/// some never end, others wait for input. Nor are pipes with a name, which wait for
/// a writer; the pipe of a `<(…)` has no name, and a writer.
pub fn read(path: &Path) -> std::io::Result<String> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if kind.is_block_device() || kind.is_char_device() {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, "it is a device"));
    }
    // The link to a pipe without a name leads to no path.
    if kind.is_fifo() && fs::canonicalize(path).is_ok() {
        let message = "it is a named pipe, and there may be no writer; \
                       to read what comes out of it, give it as standard input, with `-` for the name";
        return Err(std::io::Error::new(ErrorKind::InvalidInput, message));
    }
    limited(fs::File::open(path)?)
}

/// Read standard input.
pub fn read_stdin() -> std::io::Result<String> {
    limited(std::io::stdin().lock())
}

fn limited(from: impl Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("it is larger than {} MiB", MAX_BYTES >> 20);
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, message));
    }
    text(bytes)
}

/// Bytes as text, for which they must be UTF-8; else the error says where they are not.
pub fn text(bytes: Vec<u8>) -> std::io::Result<String> {
    let invalid = |message: String| std::io::Error::new(ErrorKind::InvalidData, message);
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(invalid("it is UTF-16 text, save it as UTF-8".to_owned()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|b| **b == b'\n').count() + 1;
        invalid(format!("line {line} is not UTF-8 text"))
    })
}

/// An I/O error in plain words.
pub fn describe(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kickstart_parser::{ParseOptions, parse};
    use std::io::Write;
    use std::os::fd::AsRawFd;

    fn check(dir: &Path, name: &str, loader: &FileLoader<'_>) -> Vec<(&'static str, String)> {
        let path = dir.join(name);
        let text = read(&path).unwrap();
        let options = ParseOptions { loader: Some(loader), ..ParseOptions::default() };
        let parsed = parse(&text, &path.to_string_lossy(), &options);
        parsed
            .diagnostics
            .iter()
            .filter(|d| d.is_error())
            .map(|d| (d.code, parsed.sources.locate(d.span).path))
            .collect()
    }

    #[test]
    fn what_is_no_text_file_is_refused_in_plain_words() {
        let dir = tempfile::tempdir().unwrap();
        let file = |bytes: &[u8]| {
            let path = dir.path().join("a.ks");
            fs::write(&path, bytes).unwrap();
            read(&path).map_err(|error| describe(&error))
        };
        assert_eq!(file(b"text\n").unwrap(), "text\n");
        assert_eq!(file(b"text\n# \xe9\n").unwrap_err(), "line 2 is not UTF-8 text");
        assert_eq!(file(b"\xff\xfet\0").unwrap_err(), "it is UTF-16 text, save it as UTF-8");
        assert_eq!(describe(&read(dir.path()).unwrap_err()), "it is a directory");
        assert_eq!(describe(&read(Path::new("/dev/zero")).unwrap_err()), "it is a device");
        let large = limited(std::io::repeat(b'#')).unwrap_err();
        assert_eq!(describe(&large), "it is larger than 64 MiB");
    }

    #[test]
    fn named_pipes_are_refused_and_others_read() {
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&name).status().unwrap().success());
        let said = describe(&read(&name).unwrap_err());
        assert!(said.starts_with("it is a named pipe") && said.contains("`-`"), "{said}");

        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"text\n").unwrap();
        drop(writer);
        let name = format!("/dev/fd/{}", reader.as_raw_fd());
        assert_eq!(read(Path::new(&name)).unwrap(), "text\n");
    }

    #[test]
    fn files_are_found_beside_the_includer() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("a.ks"), "%include sub/b.ks\n").unwrap();
        fs::write(dir.path().join("sub/b.ks"), "%include c.ks\n").unwrap();
        fs::write(dir.path().join("sub/c.ks"), "bogus\n").unwrap();
        let found = check(dir.path(), "a.ks", &FileLoader::new());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "E101");
        assert!(found[0].1.ends_with("sub/c.ks"), "{found:?}");
    }

    #[test]
    fn cycles_and_missing_files() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.ks"), "%include ./b.ks\n%include none\n").unwrap();
        fs::write(dir.path().join("b.ks"), "%include ././a.ks\n").unwrap();
        let found = check(dir.path(), "a.ks", &FileLoader::new());
        let codes: Vec<&str> = found.iter().map(|f| f.0).collect();
        assert_eq!(codes, ["E007", "E008"]);
    }

    #[test]
    fn urls_need_a_fetcher() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.ks"), "%include http://h/x.ks\n").unwrap();
        assert_eq!(check(dir.path(), "a.ks", &FileLoader::new())[0].0, "E007");
        let fetch = |url: &str| -> Result<String, String> {
            Ok(match url {
                "http://h/x.ks" => "%include y.ks\n".to_owned(),
                "http://h/y.ks" => "text\n".to_owned(),
                _ => return Err(format!("fetching {url}")),
            })
        };
        let loader = FileLoader::with_fetch(&fetch);
        assert!(check(dir.path(), "a.ks", &loader).is_empty());
    }

    #[test]
    fn other_encodings_say_where() {
        let error = text(b"text\nlang \xe9\n".to_vec()).unwrap_err();
        assert_eq!(describe(&error), "line 2 is not UTF-8 text");
    }
}
