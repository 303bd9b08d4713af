//! The layers of an image, read several at a time, with the bytes that went by counted and told:
//! for the look at an image and for its import.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::cancel::Cancel;
use crate::error::{Result, Stage};
use crate::event::{Event, Sink};
use crate::units::Bytes;

/// How often progress is told.
const INTERVAL: Duration = Duration::from_millis(200);

/// How many threads read: beyond the processors nothing is gained.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 4)
}

/// Calls `read` for each layer by its index, several at a time, the largest of `sizes` first: else
/// the last thread ends long after the others. Returns the results lowest layer first. After a
/// failure the others finish what they have begun and begin nothing more.
pub fn side_by_side<T: Send>(sizes: &[Bytes], read: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(sizes[*index]));
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Result<T>>> = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
            let outcome = read(index);
            if outcome.is_err() {
                next.store(sizes.len(), Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(index, outcome);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads().min(sizes.len()) {
            scope.spawn(work);
        }
    });
    done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).into_values().collect()
}

/// Counts the bytes that are read and tells of them, a few times a second.
pub struct Progress<'a> {
    events: &'a dyn Sink,
    cancel: &'a Cancel,
    stage: Stage,
    total: Bytes,
    done: AtomicU64,
    told: Mutex<Instant>,
}

impl<'a> Progress<'a> {
    /// Nothing of `total` was read yet. `cancel` ends the reading, in `stage`.
    pub fn new(total: Bytes, stage: Stage, events: &'a dyn Sink, cancel: &'a Cancel) -> Self {
        Progress { events, cancel, stage, total, done: AtomicU64::new(0), told: Mutex::new(Instant::now()) }
    }

    /// `inner`, whose bytes count.
    pub fn counted<R: Read>(&self, inner: R) -> Counted<'_, R> {
        Counted { inner, progress: self }
    }

    fn add(&self, bytes: u64) {
        let done = Bytes(self.done.fetch_add(bytes, Ordering::Relaxed) + bytes);
        // Where the lock is taken, another thread is telling.
        if let Ok(mut told) = self.told.try_lock()
            && (told.elapsed() >= INTERVAL || done >= self.total)
        {
            *told = Instant::now();
            self.events.emit(&Event::Progress { done, total: self.total });
        }
    }
}

/// A reader whose bytes count ([`Progress::counted`]).
pub struct Counted<'a, R> {
    inner: R,
    progress: &'a Progress<'a>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.progress.cancel.check_io(self.progress.stage)?;
        let count = self.inner.read(buffer)?;
        self.progress.add(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn layers_come_back_in_their_order_and_the_largest_is_read_first() {
        let sizes: Vec<Bytes> = (0..50).map(Bytes).collect();
        let begun = Mutex::new(Vec::new());
        let read = side_by_side(&sizes, |index| {
            begun.lock().unwrap().push(index);
            Ok(index)
        });
        assert_eq!(read.unwrap(), (0..50).collect::<Vec<_>>());
        let begun = begun.into_inner().unwrap();
        assert!(begun[0] >= 50 - threads() && *begun.last().unwrap() < threads(), "{begun:?}");
        assert_eq!(side_by_side(&[], |_| Ok(())).unwrap(), []);
    }

    #[test]
    fn nothing_is_begun_after_a_failure() {
        let begun = AtomicUsize::new(0);
        let failed = side_by_side(&[Bytes(1); 50], |_| {
            begun.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(Error::failed(Stage::Image, "no"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no");
        assert!(begun.into_inner() <= threads());
    }

    #[test]
    fn the_end_is_told_and_a_cancellation_ends_the_reading() {
        let told = Mutex::new(Vec::new());
        let sink = |event: &Event| {
            if let Event::Progress { done, total } = event {
                told.lock().unwrap().push((done.0, total.0));
            }
        };
        let cancel = Cancel::new();
        let progress = Progress::new(Bytes(5), Stage::Image, &sink, &cancel);
        io::copy(&mut progress.counted(&b"abc"[..]), &mut io::sink()).unwrap();
        io::copy(&mut progress.counted(&b"de"[..]), &mut io::sink()).unwrap();
        assert_eq!(told.lock().unwrap().first(), Some(&(5, 5)));
        cancel.cancel();
        assert!(progress.counted(&b"f"[..]).read(&mut [0; 1]).is_err());
    }
}
