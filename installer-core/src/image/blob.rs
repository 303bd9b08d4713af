//! Blobs out of a registry, as blocking readers: a task fetches ahead, a broken connection is
//! taken up where it broke. Verification is done by the reader that wraps this.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::StreamExt;
use oci_client::RegistryOperation;
use oci_client::client::BlobResponse;
use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{Receiver, channel};

use crate::error::Result;
use crate::units::Digest;

use super::blobs::Blobs;
use super::registry::{Registry, runtime, wait_for};
use super::registry_error::{Trouble, root_cause};

/// How many chunks (as the network delivers them) a reader may be ahead.
const AHEAD: usize = 16;

/// Progress that makes a reader forget earlier failures.
const FORGIVEN: u64 = 1 << 20;

/// The blobs of a repository.
pub(super) struct Remote(Arc<Registry>);

impl Remote {
    pub fn new(registry: Arc<Registry>) -> Self {
        Remote(registry)
    }
}

impl Blobs for Remote {
    fn blob(&self, digest: &Digest, size: u64) -> Result<Box<dyn Read + Send>> {
        let mut reader = Resuming {
            registry: self.0.clone(),
            digest: digest.clone(),
            size,
            offset: 0,
            chunk: Box::new([]),
            used: 0,
            chunks: None,
            failures: 0,
            failed_at: 0,
            failing_since: Instant::now(),
        };
        reader.start()?;
        Ok(Box::new(reader))
    }

    fn at_hand(&self) -> bool {
        false
    }

    fn has(&self, digest: &Digest) -> Result<bool> {
        let image = self.0.by_digest(digest);
        // What it says in place of an answer is not told: the address in it may be a signed one.
        let there = wait_for(&self.0.access.cancel, self.0.client.blob_exists(&image, digest.as_str()))?;
        Ok(there.unwrap_or(false))
    }

    fn persist(&self) {
        self.0.persistent.store(true, Ordering::Relaxed);
    }
}

type Chunk = Box<dyn AsRef<[u8]> + Send>;

struct Resuming {
    registry: Arc<Registry>,
    digest: Digest,
    size: u64,
    /// Bytes taken from the network so far.
    offset: u64,
    chunk: Chunk,
    used: usize,
    chunks: Option<Receiver<std::result::Result<Chunk, Trouble>>>,
    failures: u32,
    failed_at: u64,
    failing_since: Instant,
}

impl Resuming {
    /// Begins to fetch, from `offset`.
    fn start(&mut self) -> Result<()> {
        let (sender, receiver) = channel(AHEAD);
        let (registry, digest, offset) = (self.registry.clone(), self.digest.clone(), self.offset);
        runtime()?.spawn(async move {
            let what = format!("layer {}", digest.short());
            let (mut stream, mut skip) = match request(&registry, &digest, offset).await {
                Ok(BlobResponse::Partial(stream)) => (stream, 0),
                // It knows no ranges: what is known already comes again.
                Ok(BlobResponse::Full(stream)) => (stream, offset),
                Err(error) => {
                    let _ = sender.send(Err(registry.trouble(&error, &what))).await;
                    return;
                }
            };
            while let Some(next) = stream.next().await {
                let item: std::result::Result<Chunk, Trouble> = match next {
                    Ok(bytes) => {
                        let known = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
                        skip -= known as u64;
                        Ok(Box::new(bytes.slice(known..)))
                    }
                    Err(error) => Err(registry.broken(&root_cause(&error), &what)),
                };
                let last = item.is_err();
                // The reader at the other end is gone.
                if sender.send(item).await.is_err() || last {
                    return;
                }
            }
        });
        self.chunks = Some(receiver);
        Ok(())
    }

    /// Takes up a broken stream, unless it failed for good or too often.
    fn resume(&mut self, trouble: Trouble) -> io::Result<()> {
        if self.offset >= self.failed_at + FORGIVEN {
            self.failures = 0;
        }
        if self.failures == 0 {
            self.failing_since = Instant::now();
        }
        self.failed_at = self.offset;
        self.failures += 1;
        if !trouble.transient || self.registry.gives_up(self.failures, self.failing_since) {
            self.chunks = None;
            return Err(io::Error::other(trouble.error));
        }
        self.registry.pause(&trouble, self.failures + 1).map_err(io::Error::other)?;
        self.start().map_err(io::Error::other)
    }
}

/// Asks for a blob from `offset`. Always by range, even from 0: a partial answer is not hashed
/// by the client, and hashing is done once, by the reader above.
async fn request(
    registry: &Registry,
    digest: &Digest,
    offset: u64,
) -> std::result::Result<BlobResponse, OciDistributionError> {
    let image = registry.by_digest(digest);
    let layer = OciDescriptor { digest: digest.to_string(), ..OciDescriptor::default() };
    match registry.client.pull_blob_stream_partial(&image, &layer, offset, None).await {
        // The token has run out; the client itself would go on with it.
        Err(OciDistributionError::UnauthorizedError { .. }) => {
            registry.client.auth(&image, &registry.auth, RegistryOperation::Pull).await?;
            registry.client.pull_blob_stream_partial(&image, &layer, offset, None).await
        }
        answer => answer,
    }
}

impl Read for Resuming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let rest = &(*self.chunk).as_ref()[self.used..];
            if !rest.is_empty() {
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                self.used += count;
                return Ok(count);
            }
            let Some(chunks) = &mut self.chunks else { return Ok(0) };
            let next = match chunks.try_recv() {
                Ok(next) => Some(next),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    wait_for(&self.registry.access.cancel, chunks.recv()).map_err(io::Error::other)?
                }
            };
            match next {
                Some(Ok(chunk)) => {
                    self.offset += (*chunk).as_ref().len() as u64;
                    (self.chunk, self.used) = (chunk, 0);
                }
                // All was said before it broke.
                Some(Err(_)) | None if self.offset >= self.size => {
                    self.chunks = None;
                    return Ok(0);
                }
                Some(Err(trouble)) => self.resume(trouble)?,
                None => {
                    let trouble = self
                        .registry
                        .broken(&format!("it ended after {} of {} bytes", self.offset, self.size), "layer");
                    self.resume(trouble)?;
                }
            }
        }
    }
}
