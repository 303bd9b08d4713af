//! What every place of an image has in common: it gives out blobs by their digests.

use std::io::Read;

use super::manifest::{Descriptor, MAX_DOCUMENT};
use super::verify::{Verified, read_error};
use crate::error::{Error, Result, Stage};
use crate::units::Digest;

/// Where blobs come from. Raw: the reader verifies.
pub(super) trait Blobs: Send + Sync {
    /// The bytes of a blob from its beginning.
    fn blob(&self, digest: &Digest, size: u64) -> Result<Box<dyn Read + Send>>;

    /// Whether they are here, and no registry is asked for them.
    fn at_hand(&self) -> bool {
        true
    }

    /// Whether the source says that a blob is there, without reading it.
    fn has(&self, _digest: &Digest) -> Result<bool> {
        Ok(false)
    }

    /// From now on, trouble that may pass is waited out for long.
    fn persist(&self) {}
}

/// Reads a small blob whole: verified, and no larger than any real manifest or configuration.
pub(super) fn document(blobs: &dyn Blobs, entry: &Descriptor) -> Result<Vec<u8>> {
    let digest = entry.digest()?;
    if entry.size > MAX_DOCUMENT {
        return Err(Error::world(
            Stage::Resolve,
            format!("{} has {} bytes, which no real manifest or configuration has", digest.short(), entry.size),
        ));
    }
    let mut data = Vec::new();
    Verified::new(blobs.blob(&digest, entry.size)?, digest.clone(), Some(entry.size))
        .read_to_end(&mut data)
        .map_err(|error| read_error(Stage::Resolve, format!("reading {}", digest.short()), error))?;
    Ok(data)
}
