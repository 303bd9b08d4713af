//! machines.toml as it is now: looked at with each request, read when it has changed. A file
//! with a mistake changes nothing until it is mended; the mistake is shown to the admin.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use installer_core::Result;

use super::machines::Machines;

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// The file and what it said when it was last good.
pub struct Inventory {
    path: PathBuf,
    now: Mutex<Now>,
}

struct Now {
    machines: Arc<Machines>,
    stamp: Option<(SystemTime, u64)>,
    looked: Instant,
    problem: Option<String>,
    version: u64,
}

impl Inventory {
    /// Reads it for the first time.
    pub fn open(path: PathBuf) -> Result<Self> {
        let stamp = stamp(&path);
        let machines = Arc::new(Machines::read(&path)?);
        let now = Now { machines, stamp, looked: Instant::now(), problem: None, version: 0 };
        Ok(Inventory { path, now: Mutex::new(now) })
    }

    /// What it says.
    pub fn machines(&self) -> Arc<Machines> {
        self.current().machines.clone()
    }

    /// What is wrong with it since it was last good.
    pub fn problem(&self) -> Option<String> {
        self.current().problem.clone()
    }

    /// Counts how often it was read.
    pub fn version(&self) -> u64 {
        self.current().version
    }

    fn current(&self) -> MutexGuard<'_, Now> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.looked.elapsed() < EVERY {
            return now;
        }
        now.looked = Instant::now();
        let stamp = stamp(&self.path);
        if stamp != now.stamp {
            now.stamp = stamp;
            now.version += 1;
            match Machines::read(&self.path) {
                Ok(machines) => {
                    tracing::info!(file = %self.path.display(), "read again");
                    (now.machines, now.problem) = (Arc::new(machines), None);
                }
                Err(error) => {
                    tracing::error!(%error, "the machines stay as they were");
                    now.problem = Some(error.to_string());
                }
            }
        }
        now
    }
}

fn stamp(path: &std::path::Path) -> Option<(SystemTime, u64)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_changes_nothing_until_it_is_mended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("machines.toml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        let entry = |name: &str| format!("[[machine]]\nname='{name}'\nserial='S1'\nkickstart='x'\n");
        write(&entry("a"));
        let inventory = Inventory::open(path.clone()).unwrap();
        let later = || inventory.now.lock().unwrap().looked = Instant::now() - 2 * EVERY;
        write("[[machin]]\n");
        later();
        assert!(inventory.machines().named("a").is_some());
        assert!(inventory.problem().unwrap().contains("unknown field"));
        write(&(entry("b") + "# mended\n"));
        later();
        assert!(inventory.machines().named("b").is_some());
        assert_eq!(inventory.problem(), None);
    }
}
