//! Readers that tell the truth about a blob: nothing beyond its size is handed out, and its end
//! is only reached when the digest is right. Decompression is here too, as both make up the
//! way from a blob to its tar stream.

use std::io::{self, BufReader, Read};

use sha2::Digest as _;

use crate::error::{Error, Kind, Result, Stage};
use crate::units::Digest;

use super::manifest::{Compression, compression};

/// What is wrong with a blob. Comes inside of an [`io::Error`] out of the layer readers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Other bytes than were announced.
    #[error("the content is not what the manifest says: expected {expected}, got {actual}")]
    Digest {
        /// What the manifest or the configuration says.
        expected: Digest,
        /// What the bytes come to.
        actual: Digest,
    },
    /// More or fewer bytes than were announced.
    #[error("{digest} has {} than the {expected} bytes that the manifest says", if *.longer { "more" } else { "fewer" })]
    Size {
        /// The blob.
        digest: Digest,
        /// What the manifest says.
        expected: u64,
        /// Whether there was more, not less.
        longer: bool,
    },
}

impl From<VerifyError> for io::Error {
    fn from(error: VerifyError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

/// Reads a blob, hashing. The last read (that returns 0) fails if the digest is another one.
pub(super) struct Verified<R> {
    inner: R,
    hasher: sha2::Sha256,
    expected: Digest,
    /// The announced size; `None` for the uncompressed stream, whose size is not announced.
    size: Option<u64>,
    read: u64,
    outcome: Option<std::result::Result<(), VerifyError>>,
}

impl<R: Read> Verified<R> {
    pub fn new(inner: R, expected: Digest, size: Option<u64>) -> Self {
        Verified { inner, hasher: sha2::Sha256::new(), expected, size, read: 0, outcome: None }
    }

    fn finish(&mut self) -> std::result::Result<(), VerifyError> {
        if let Some(expected) = self.size.filter(|size| self.read < *size) {
            return Err(VerifyError::Size { digest: self.expected.clone(), expected, longer: false });
        }
        let actual = Digest::from_sha256(&std::mem::take(&mut self.hasher).finalize());
        if actual == self.expected {
            return Ok(());
        }
        Err(VerifyError::Digest { expected: self.expected.clone(), actual })
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Some(outcome) = &self.outcome {
            return outcome.clone().map(|()| 0).map_err(io::Error::from);
        }
        let count = self.inner.read(buffer)?;
        self.read += count as u64;
        if let Some(expected) = self.size.filter(|size| self.read > *size) {
            let error = VerifyError::Size { digest: self.expected.clone(), expected, longer: true };
            self.outcome = Some(Err(error.clone()));
            return Err(error.into());
        }
        if count > 0 {
            self.hasher.update(&buffer[..count]);
            return Ok(count);
        }
        let outcome = self.finish();
        self.outcome = Some(outcome.clone());
        outcome.map(|()| 0).map_err(io::Error::from)
    }
}

/// Undoes the compression that `media_type` stands for: gzip (of any number of members), zstd
/// or none. Layers of other types are refused by name.
///
/// A decoder that stumbles over damaged bytes says so in words that do not help; the reader
/// below is asked first whether they are the right ones.
pub fn decompress<'a>(media_type: &str, reader: impl Read + Send + 'a) -> Result<Box<dyn Read + Send + 'a>> {
    const WINDOW: usize = 256 << 10;
    Ok(match compression(media_type)? {
        Compression::None => Box::new(reader),
        Compression::Gzip => {
            let decoder = flate2::bufread::MultiGzDecoder::new(BufReader::with_capacity(WINDOW, reader));
            Box::new(Decoded { decoder, below: |decoder| decoder.get_mut() })
        }
        Compression::Zstd => {
            let decoder = zstd::Decoder::with_buffer(BufReader::with_capacity(WINDOW, reader))
                .map_err(|error| Error::failed(Stage::Resolve, "starting the zstd decoder").because(error))?;
            Box::new(Decoded { decoder, below: |decoder| decoder.get_mut() })
        }
    })
}

/// A decoder whose own complaints give way to those of what it reads from.
struct Decoded<D, R> {
    decoder: D,
    below: fn(&mut D) -> &mut R,
}

impl<D: Read, R: Read> Read for Decoded<D, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| {
            let below_failed = causes(&error).any(|cause| cause.is::<Error>() || cause.is::<VerifyError>());
            if below_failed || error.kind() == io::ErrorKind::Interrupted {
                return error;
            }
            io::copy((self.below)(&mut self.decoder), &mut io::sink()).err().unwrap_or(error)
        })
    }
}

/// An error and all that it wraps.
fn causes(error: &io::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |cause| match cause.downcast_ref::<io::Error>() {
        // An io::Error's source skips the error that it wraps.
        Some(io) => io.get_ref().map(|wrapped| wrapped as &(dyn std::error::Error + 'static)),
        None => cause.source(),
    })
}

/// Turns what a layer's reader failed with into this crate's error: what was read was wrong or
/// could not be had (the world's fault), with the remedy where the network layer knows one.
/// Finds our own errors under whatever `tar` and the decompressors wrapped around them.
pub fn read_error(stage: Stage, doing: impl std::fmt::Display, error: io::Error) -> Error {
    for inner in causes(&error) {
        if let Some(ours) = inner.downcast_ref::<Error>() {
            let told = Error::new(ours.kind(), stage, format!("{doing}: {ours}"));
            return match ours.remedy() {
                Some(hint) => told.hint(hint.clone()),
                None => told,
            };
        }
        if let Some(wrong) = inner.downcast_ref::<VerifyError>() {
            return Error::world(stage, doing.to_string())
                .because(wrong.clone())
                .hint("the copy in the registry or on disk is damaged, or a proxy changes it: push the image again");
        }
    }
    Error::new(Kind::World, stage, doing.to_string()).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

    fn verify(data: &[u8], expected: &[u8], size: Option<u64>) -> std::result::Result<Vec<u8>, VerifyError> {
        let mut out = Vec::new();
        let mut reader = Verified::new(data, Digest::of(expected), size);
        let outcome = reader.read_to_end(&mut out);
        // The end stays the end.
        assert_eq!(reader.read(&mut [0]).is_err(), outcome.is_err());
        match outcome {
            Ok(_) => Ok(out),
            Err(error) => Err(error.get_ref().unwrap().downcast_ref::<VerifyError>().unwrap().clone()),
        }
    }

    #[test]
    fn sizes_and_digests_are_enforced() {
        assert_eq!(verify(b"abc", b"abc", Some(3)).unwrap(), b"abc");
        assert_eq!(verify(b"abc", b"abc", None).unwrap(), b"abc");
        assert_eq!(verify(b"", b"", Some(0)).unwrap(), b"");
        assert!(matches!(verify(b"abc", b"abd", Some(3)), Err(VerifyError::Digest { .. })));
        assert!(matches!(verify(b"abcd", b"abcd", Some(3)), Err(VerifyError::Size { longer: true, .. })));
        assert!(matches!(verify(b"ab", b"ab", Some(3)), Err(VerifyError::Size { longer: false, .. })));
    }

    #[test]
    fn every_compression_comes_undone() {
        let gzip = |data: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        };
        let two = [gzip(b"one"), gzip(b"two")].concat();
        let frames = [zstd::encode_all(&b"one"[..], 1).unwrap(), zstd::encode_all(&b"two"[..], 1).unwrap()].concat();
        for (media_type, data) in
            [(TAR.to_owned(), b"onetwo".to_vec()), (format!("{TAR}+gzip"), two), (format!("{TAR}+zstd"), frames)]
        {
            let mut out = Vec::new();
            decompress(&media_type, &data[..]).unwrap().read_to_end(&mut out).unwrap();
            assert_eq!(out, b"onetwo", "{media_type}");
        }
        assert!(decompress("text/plain", &b""[..]).is_err());
    }

    #[test]
    fn damage_is_told_by_the_digest_and_not_by_the_decoder() {
        let blob = zstd::encode_all(&[7u8; 5000][..], 1).unwrap();
        for position in 0..blob.len() {
            let mut damaged = blob.clone();
            damaged[position] ^= 0xff;
            let raw = Verified::new(&damaged[..], Digest::of(&blob), Some(blob.len() as u64));
            let mut plain = decompress(&format!("{TAR}+zstd"), raw).unwrap();
            let error = io::copy(&mut plain, &mut io::sink()).unwrap_err();
            let told = read_error(Stage::Resolve, "reading", error).to_string();
            assert!(told.contains("is not what the manifest says"), "byte {position}: {told}");
        }
    }

    #[test]
    fn our_errors_are_found_under_wrappers() {
        let inner = io::Error::other(Error::world(Stage::Resolve, "refused").hint("try"));
        let error =
            read_error(Stage::Image, "reading", io::Error::other(io::Error::new(io::ErrorKind::InvalidData, inner)));
        assert_eq!(
            (error.to_string().as_str(), error.remedy(), error.stage()),
            ("reading: refused", Some(&"try".into()), Stage::Image)
        );
        let wrong = VerifyError::Size { digest: Digest::of(b""), expected: 1, longer: true };
        assert!(read_error(Stage::Image, "reading", wrong.into()).to_string().contains("more than the 1 bytes"));
    }
}
