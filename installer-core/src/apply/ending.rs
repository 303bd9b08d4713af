//! Whether the end of an installation has been told. Every beginning has an end, also where what fails is
//! none of its steps.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Remedy, Result};
use crate::event::{Event, Sink};

/// A listener that sees whether the end passes.
pub struct Ending<'a> {
    to: &'a dyn Sink,
    told: AtomicBool,
}

impl<'a> Ending<'a> {
    /// In front of `to`.
    pub fn before(to: &'a dyn Sink) -> Self {
        Ending { to, told: AtomicBool::new(false) }
    }

    /// Tells a failure that has not been told.
    pub fn of<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.inspect_err(|error| {
            if !self.told.load(Ordering::Relaxed) {
                self.emit(&Event::failed(error, &|remedy| self.words(remedy)));
            }
        })
    }
}

impl Sink for Ending<'_> {
    fn emit(&self, event: &Event) {
        if matches!(event, Event::Finished { .. } | Event::Failed { .. }) {
            self.told.store(true, Ordering::Relaxed);
        }
        self.to.emit(event);
    }

    fn words(&self, remedy: &Remedy) -> Option<String> {
        self.to.words(remedy)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::error::{Error, Stage};

    #[test]
    fn an_end_is_told_once() {
        let ends = Mutex::new(0);
        let sink = |event: &Event| *ends.lock().unwrap() += usize::from(event.name() == "failed");
        let failed = || Err::<(), _>(Error::failed(Stage::Finish, "panicked"));
        let ending = Ending::before(&sink);
        ending.of(Ok(())).unwrap();
        assert_eq!(*ends.lock().unwrap(), 0);
        ending.of(failed()).unwrap_err();
        assert_eq!(*ends.lock().unwrap(), 1);
        let ending = Ending::before(&sink);
        ending.emit(&Event::failed(&failed().unwrap_err(), &|_| None));
        ending.of(failed()).unwrap_err();
        assert_eq!(*ends.lock().unwrap(), 2);
    }
}
