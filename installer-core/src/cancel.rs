//! Stopping work that is under way: a flag that one thread raises and the work looks at where
//! it can stop. Not here: what is undone then, which is the same as after any failure.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result, Stage};

/// How long a wait goes on after a cancellation, at most.
pub(crate) const POLL: Duration = Duration::from_millis(50);

/// The flag. Its clones are the same flag; it is never lowered again.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not raised.
    pub fn new() -> Self {
        Cancel::default()
    }

    /// Raises it.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is raised.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails once it is raised.
    pub fn check(&self, stage: Stage) -> Result<()> {
        if self.is_cancelled() { Err(Error::cancelled(stage)) } else { Ok(()) }
    }

    /// [`Cancel::check`] for readers: our error inside of an [`io::Error`].
    pub fn check_io(&self, stage: Stage) -> io::Result<()> {
        self.check(stage).map_err(io::Error::other)
    }

    /// Waits, and fails in the middle of it once the flag is raised.
    pub fn sleep(&self, wait: Duration, stage: Stage) -> Result<()> {
        let until = Instant::now() + wait;
        loop {
            self.check(stage)?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(POLL));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_clone_is_the_same_flag() {
        let flag = Cancel::new();
        let other = flag.clone();
        flag.check(Stage::Image).unwrap();
        other.cancel();
        let error = flag.check(Stage::Image).unwrap_err();
        assert_eq!((error.kind(), error.stage(), error.exit_code()), (Kind::Cancelled, Stage::Image, 4));
        assert_eq!(error.after_touching().exit_code(), 1);
    }

    #[test]
    fn it_ends_a_sleep() {
        let flag = Cancel::new();
        flag.sleep(Duration::from_millis(1), Stage::Resolve).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                flag.cancel();
            });
            let started = Instant::now();
            flag.sleep(Duration::from_secs(600), Stage::Resolve).unwrap_err();
            assert!(started.elapsed() < Duration::from_secs(60));
        });
    }
}
