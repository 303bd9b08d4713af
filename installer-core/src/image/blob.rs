//! Blobs out of a registry, as blocking readers: a task fetches ahead, a broken connection is
//! taken up where it broke. Verification is done by the reader that wraps this.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use flate2::write::MultiGzDecoder;
use reqwest::Method;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::error::Result;
use crate::units::Digest;

use super::blobs::Blobs;
use super::client::Ask;
use super::failure::{Broken, Failure};
use super::registry::Registry;
use super::registry_error::Trouble;
use super::runtime::{runtime, wait_for};
use super::wire::Answer;

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
            chunk: Chunk::nothing(),
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
        let path = format!("blobs/{digest}");
        let ask = Ask { method: Method::HEAD, path: &path, accept: &[], from: 0, pinned: true };
        // What it says in place of an answer is not told: the address in it may be a signed one.
        Ok(wait_for(&self.0.access.cancel, self.0.client.ask(&ask))?.is_ok())
    }

    fn persist(&self) {
        self.0.persistent.store(true, Ordering::Relaxed);
    }
}

/// What came over the network, and how much of it was used.
struct Chunk {
    bytes: Box<dyn AsRef<[u8]> + Send>,
    used: usize,
}

impl Chunk {
    fn nothing() -> Self {
        Chunk { bytes: Box::new([]), used: 0 }
    }

    fn rest(&self) -> &[u8] {
        &(*self.bytes).as_ref()[self.used..]
    }
}

struct Resuming {
    registry: Arc<Registry>,
    digest: Digest,
    size: u64,
    /// Bytes taken from the network so far.
    offset: u64,
    chunk: Chunk,
    chunks: Option<Receiver<std::result::Result<Chunk, Trouble>>>,
    failures: u32,
    failed_at: u64,
    failing_since: Instant,
}

impl Resuming {
    /// Begins to fetch, from `offset`.
    fn start(&mut self) -> Result<()> {
        let (sender, receiver) = channel(AHEAD);
        let (registry, digest, offset, size) = (self.registry.clone(), self.digest.clone(), self.offset, self.size);
        runtime()?.spawn(async move {
            let what = format!("layer {}", digest.short());
            let failed = match send(&registry, &digest, (offset, size), &sender).await {
                Ok(()) => return,
                Err(failure) => registry.trouble(&failure, &what),
            };
            // The reader at the other end may be gone.
            let _ = sender.send(Err(failed)).await;
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
        self.failures += trouble.cost;
        if !trouble.transient || self.registry.gives_up(self.failures, self.failing_since) {
            self.chunks = None;
            return Err(io::Error::other(trouble.error));
        }
        self.registry.pause(&trouble, self.failures + 1).map_err(io::Error::other)?;
        self.start().map_err(io::Error::other)
    }
}

/// Sends what comes of a blob, from `offset`, for as long as it is read.
async fn send(
    registry: &Registry,
    digest: &Digest,
    (offset, size): (u64, u64),
    sender: &Sender<std::result::Result<Chunk, Trouble>>,
) -> std::result::Result<(), Failure> {
    let (mut answer, mut skip) = request(registry, digest, offset).await?;
    let mut unpack = is_packed(&answer, size).then(|| MultiGzDecoder::new(Vec::new()));
    let broken = |_| Failure::Odd("it compresses what it sends, and that is broken".into());
    loop {
        let next = answer.chunk().await?;
        let last = next.is_none();
        let bytes: Box<dyn AsRef<[u8]> + Send> = match (&mut unpack, next) {
            (None, None) => break,
            (None, Some(bytes)) => Box::new(bytes),
            (Some(decoder), next) => {
                match next {
                    // It keeps back what it is not asked for.
                    Some(bytes) => decoder.write_all(bytes.as_ref()).and_then(|()| decoder.flush()),
                    None => decoder.try_finish(),
                }
                .map_err(broken)?;
                Box::new(std::mem::take(decoder.get_mut()))
            }
        };
        let known = usize::try_from(skip).unwrap_or(usize::MAX).min((*bytes).as_ref().len());
        skip -= known as u64;
        if sender.send(Ok(Chunk { bytes, used: known })).await.is_err() || last {
            break;
        }
    }
    Ok(())
}

/// Whether a server compressed a blob of `size` bytes for the way, unasked. Some say so of blobs that are as they
/// should be, since these are compressed by themselves; their length tells.
fn is_packed(answer: &Answer, size: u64) -> bool {
    let says = answer.header("content-encoding").is_some_and(|how| matches!(how.trim(), "gzip" | "x-gzip"));
    says && answer.status() == 200 && answer.header("content-length").and_then(|n| n.parse().ok()) != Some(size)
}

/// Asks for a blob from `offset`. Says how much of the answer is known already: all up to
/// `offset`, where the registry knows no ranges or gives another one.
async fn request(registry: &Registry, digest: &Digest, offset: u64) -> std::result::Result<(Answer, u64), Failure> {
    let path = format!("blobs/{digest}");
    let ask = Ask { method: Method::GET, path: &path, accept: &[], from: offset, pinned: true };
    let whole = Ask { from: 0, ..ask.clone() };
    let answer = match registry.client.ask(&ask).await {
        Err(Failure::Status { code: 416, .. }) if offset > 0 => registry.client.ask(&whole).await?,
        answer => answer?,
    };
    if answer.status() != 206 {
        return Ok((answer, offset));
    }
    let begins: Option<u64> =
        answer.header("content-range").and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok());
    match begins {
        // A part of what was compressed for the way is of no use.
        _ if answer.header("content-encoding").is_some_and(|how| how != "identity") => {
            Ok((registry.client.ask(&whole).await?, offset))
        }
        None => Ok((answer, 0)),
        Some(begins) if begins == offset => Ok((answer, 0)),
        Some(_) => Ok((registry.client.ask(&whole).await?, offset)),
    }
}

impl Read for Resuming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let rest = self.chunk.rest();
            if !rest.is_empty() {
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                self.chunk.used += count;
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
                    self.offset += chunk.rest().len() as u64;
                    self.chunk = chunk;
                }
                // All was said before it broke.
                Some(Err(_)) | None if self.offset >= self.size => {
                    self.chunks = None;
                    return Ok(0);
                }
                Some(Err(trouble)) => self.resume(trouble)?,
                None => {
                    let cause = format!("it ended after {} of {} bytes", self.offset, self.size);
                    let broken = Broken {
                        host: self.registry.host.clone(),
                        cause,
                        connecting: false,
                        timeout: false,
                        proxy: None,
                    };
                    let trouble = self.registry.trouble(&Failure::Broken(broken), "layer");
                    self.resume(trouble)?;
                }
            }
        }
    }
}
