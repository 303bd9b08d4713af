//! Files that go out as they are read: kernel, initramfs, boot loaders. HEAD, and single ranges
//! for who goes on where it was cut off.

use std::collections::BTreeMap;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use installer_core::error::Context as _;
use installer_core::{Error, Result, Stage};
use rustix::fs::OFlags;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::answer::{Problem, set};
use crate::environment::Environment;

/// Read at a time, and so the memory that a transfer takes.
const PIECE: usize = 128 * 1024;

/// A file that is served: as it was when the server started.
#[derive(Debug)]
struct Served {
    path: PathBuf,
    size: u64,
    changed: Option<SystemTime>,
    etag: Option<HeaderValue>,
}

/// All files that are served, by name. Nothing else can be asked for.
#[derive(Debug)]
pub struct Files {
    environment: BTreeMap<&'static str, Served>,
    loaders: BTreeMap<String, Served>,
}

impl Files {
    /// The files of an environment that has been verified.
    pub fn new(environment: &Environment) -> Result<Self> {
        let mut own = BTreeMap::new();
        for (name, path) in [("vmlinuz", environment.kernel()), ("initrd.img", environment.initrd())] {
            own.insert(name, Served::new(path, environment.sha256(name))?);
        }
        Ok(Files { environment: own, loaders: loaders(&environment.efi())? })
    }

    /// `vmlinuz` or `initrd.img`.
    pub async fn environment(&self, name: &str, method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
        Some(self.environment.get(name)?.answer(method, headers).await)
    }

    /// A boot loader.
    pub async fn loader(&self, name: &str, method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
        Some(self.loaders.get(name)?.answer(method, headers).await)
    }
}

fn loaders(dir: &Path) -> Result<BTreeMap<String, Served>> {
    let mut found = BTreeMap::new();
    // No link is followed: it could lead anywhere.
    if !dir.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
        return Ok(found);
    }
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(found) };
    for entry in entries {
        let entry = entry.doing(Stage::Media, format!("listing {}", dir.display()))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        if plain && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            found.insert(name, Served::new(entry.path(), None)?);
        }
    }
    Ok(found)
}

impl Served {
    fn new(path: PathBuf, digest: Option<&str>) -> Result<Self> {
        let meta = std::fs::symlink_metadata(&path).doing(Stage::Media, format!("looking at {}", path.display()))?;
        if !meta.is_file() {
            return Err(Error::input(Stage::Media, format!("{} is not a file", path.display()))
                .hint("links are not followed: put the file itself there"));
        }
        let etag = digest.and_then(|digest| HeaderValue::from_str(&format!("\"{digest}\"")).ok());
        Ok(Served { path, size: meta.len(), changed: meta.modified().ok(), etag })
    }

    async fn answer(&self, method: &Method, headers: &HeaderMap) -> Response<Body> {
        match self.try_answer(method, headers).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(file = %self.path.display(), %error, "cannot be served");
                let text = "the file cannot be served; the server's log says why";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, text).into_response()
            }
        }
    }

    async fn try_answer(&self, method: &Method, headers: &HeaderMap) -> std::io::Result<Response<Body>> {
        let no_link = OFlags::NOFOLLOW.bits().cast_signed();
        let mut file = tokio::fs::OpenOptions::new().read(true).custom_flags(no_link).open(&self.path).await?;
        let meta = file.metadata().await?;
        // Its digest was compared when the server started; another file may be half a file.
        if meta.len() != self.size || meta.modified().ok() != self.changed {
            return Err(std::io::Error::other("it has changed; start the server again to have it verified"));
        }
        let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
        let (first, length, status) = match range.map(|text| part(text, self.size)) {
            None | Some(Part::Whole) => (0, self.size, StatusCode::OK),
            Some(Part::Some(first, last)) => (first, last - first + 1, StatusCode::PARTIAL_CONTENT),
            Some(Part::None) => {
                let mut response = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "no such range").into_response();
                set(&mut response, header::CONTENT_RANGE, &format!("bytes */{}", self.size));
                return Ok(response);
            }
        };
        let body = if *method == Method::HEAD {
            Body::empty()
        } else {
            file.seek(SeekFrom::Start(first)).await?;
            Body::from_stream(ReaderStream::with_capacity(file.take(length), PIECE))
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        set(&mut response, header::CONTENT_LENGTH, &length.to_string());
        set(&mut response, header::CONTENT_TYPE, "application/octet-stream");
        set(&mut response, header::ACCEPT_RANGES, "bytes");
        if status == StatusCode::PARTIAL_CONTENT {
            let last = first + length - 1;
            set(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{last}/{}", self.size));
        }
        if let Some(etag) = &self.etag {
            response.headers_mut().insert(header::ETAG, etag.clone());
        }
        Ok(response)
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// What is not understood counts as not there.
    Whole,
    /// From and to, both of it.
    Some(u64, u64),
    /// Beyond the end.
    None,
}

/// One range of bytes; several at once are answered with everything, which is allowed.
fn part(text: &str, size: u64) -> Part {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Part::Whole;
    };
    match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
        (Some(first), Some(last)) if first <= last && first < size => Part::Some(first, last.min(size - 1)),
        (Some(first), None) if last.is_empty() && first < size => Part::Some(first, size - 1),
        (None, Some(last)) if first.is_empty() && last > 0 && size > 0 => {
            Part::Some(size.saturating_sub(last), size - 1)
        }
        (Some(first), _) if first >= size && (last.is_empty() || last.parse::<u64>().is_ok()) => Part::None,
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(part("bytes=0-0", 10), Part::Some(0, 0));
        assert_eq!(part("bytes=3-", 10), Part::Some(3, 9));
        assert_eq!(part("bytes=3-99", 10), Part::Some(3, 9));
        assert_eq!(part("bytes=-4", 10), Part::Some(6, 9));
        assert_eq!(part("bytes=-99", 10), Part::Some(0, 9));
        assert_eq!(part("bytes=10-", 10), Part::None);
        for odd in ["bytes=5-3", "bytes=0-1,3-4", "lines=1-2", "bytes=x-y", "bytes=-"] {
            assert_eq!(part(odd, 10), Part::Whole, "{odd}");
        }
    }

    #[test]
    fn only_plain_names_of_the_directory_are_served() {
        let dir = tempfile::tempdir().unwrap();
        crate::environment::tests::made_up(dir.path());
        for name in ["shimx64.efi", "b d.efi"] {
            std::fs::write(dir.path().join("efi").join(name), "x").unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("efi/grubx64.efi")).unwrap();
        std::os::unix::fs::symlink("shimx64.efi", dir.path().join("efi/gcdx64.efi")).unwrap();
        std::fs::create_dir(dir.path().join("efi/dir.efi")).unwrap();
        let files = Files::new(&Environment::open(dir.path()).unwrap()).unwrap();
        assert_eq!(files.loaders.keys().collect::<Vec<_>>(), ["shimx64.efi"]);
    }

    #[test]
    fn a_link_that_takes_the_place_of_a_file_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("file"), dir.path().join("other"));
        std::fs::write(&path, "x").unwrap();
        let served = Served::new(path.clone(), None).unwrap();
        std::fs::rename(&path, &other).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert!(runtime.block_on(served.try_answer(&Method::GET, &HeaderMap::new())).is_err());
        assert!(Served::new(path, None).is_err());
    }
}
