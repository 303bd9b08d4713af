//! What is known, on disk: an embedded database that survives a crash. One thread writes;
//! whatever arrives while it waits for the disk goes into its next transaction, so that
//! thousands of machines cost a few dozen of them.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use installer_core::error::Context as _;
use installer_core::{Error, Result, Stage};
use redb::backends::FileBackend;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::sync::oneshot;

use super::record::Record;

/// The version of what is in the database.
const SCHEMA: u64 = 1;
/// Changes in one transaction.
const BATCH: usize = 4096;

const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const MACHINES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("machines");
const LOGS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("logs");

/// One change.
#[derive(Debug)]
pub enum Change {
    /// A machine as it is now.
    Put(Box<Record>),
    /// A machine that is forgotten.
    Forget(String),
    /// The log of a machine.
    Log(String, Vec<u8>),
}

/// Answers when a change is on disk; with false when it could not be written.
pub type Written = oneshot::Receiver<bool>;

/// The database.
pub struct Store {
    database: Arc<Opened>,
    queue: Sender<(Change, oneshot::Sender<bool>)>,
}

impl Store {
    /// Opens or makes the database, and reads what is in it.
    pub fn open(path: &Path) -> Result<(Self, Vec<Record>)> {
        let doing = || format!("opening the state in {}", path.display());
        let database = create(path)?;
        let transaction = database.begin_write().doing(Stage::Request, doing())?;
        {
            let mut meta = transaction.open_table(META).doing(Stage::Request, doing())?;
            let schema = meta.get("schema").doing(Stage::Request, doing())?.map(|value| value.value());
            match schema {
                Some(SCHEMA) => {}
                Some(newer) => {
                    let message =
                        format!("{}: the state in it has schema {newer}; this bootc-ks reads {SCHEMA}", path.display());
                    return Err(Error::input(Stage::Request, message)
                        .hint("use the bootc-ks that wrote it, or another --state; nothing was changed"));
                }
                None => {
                    meta.insert("schema", SCHEMA).doing(Stage::Request, doing())?;
                }
            }
            transaction.open_table(MACHINES).doing(Stage::Request, doing())?;
            transaction.open_table(LOGS).doing(Stage::Request, doing())?;
        }
        transaction.commit().doing(Stage::Request, doing())?;
        let records = read(&database).map_err(|error| error.context(doing()))?;
        let database = Arc::new(Opened { path: path.to_owned(), database: RwLock::new(Some(database)) });
        let (queue, changes) = channel();
        let writer = database.clone();
        std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || write_all(&writer, &changes))
            .doing(Stage::Request, "starting the thread that writes the state")?;
        Ok((Store { database, queue }, records))
    }

    /// Hands over a change; they are written in the order of these calls.
    pub fn write(&self, change: Change) -> Written {
        let (done, written) = oneshot::channel();
        if self.queue.send((change, done)).is_err() {
            tracing::error!("the thread that writes the state is gone");
        }
        written
    }

    /// The log of a machine.
    pub fn log(&self, id: &str) -> Result<Option<Vec<u8>>> {
        let doing = "reading a log out of the state";
        let database = self.database.read();
        let Some(database) = database.as_ref() else {
            return Err(Error::world(Stage::Request, format!("{doing}: it could not be written, and is not open"))
                .hint("see whether its disk is full; it is tried again at the next change"));
        };
        let table =
            database.begin_read().doing(Stage::Request, doing)?.open_table(LOGS).doing(Stage::Request, doing)?;
        Ok(table.get(id).doing(Stage::Request, doing)?.map(|bytes| bytes.value().to_vec()))
    }
}

/// Opens or makes the file, for its owner alone: tokens and logs are in it.
fn create(path: &Path) -> Result<Database> {
    let doing = || format!("opening the state in {}", path.display());
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(
        |error| {
            Error::world(Stage::Request, doing())
                .because(error)
                .hint("the directory of --state must exist and be writable")
        },
    )?;
    let own = file.try_clone().doing(Stage::Request, doing())?;
    let database = FileBackend::new(file)
        .and_then(|file| Database::builder().create_with_backend(file))
        .map_err(|error| explain(&error, path))?;
    // One that was there before may have been copied with a wider mode.
    own.set_permissions(Permissions::from_mode(0o600)).doing(Stage::Request, doing())?;
    Ok(database)
}

fn explain(error: &DatabaseError, path: &Path) -> Error {
    let message = format!("opening the state in {}", path.display());
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::TransactionInProgress => {
            Error::refused(Stage::Request, format!("{message}: another server is using it"))
                .hint("stop that one, or give this one another --state")
        }
        DatabaseError::UpgradeRequired(version) => {
            Error::input(Stage::Request, format!("{message}: its file format is version {version}"))
                .hint("use the bootc-ks that wrote it, or another --state; nothing was changed")
        }
        other => Error::world(Stage::Request, format!("{message}: {other}"))
            .hint("the file must be one that 'netboot serve' made"),
    }
}

fn read(database: &Database) -> Result<Vec<Record>> {
    let doing = "reading the machines";
    let table =
        database.begin_read().doing(Stage::Request, doing)?.open_table(MACHINES).doing(Stage::Request, doing)?;
    let mut records = Vec::new();
    for entry in table.iter().doing(Stage::Request, doing)? {
        let (id, bytes) = entry.doing(Stage::Request, doing)?;
        let record = serde_json::from_slice(bytes.value())
            .doing(Stage::Request, format!("reading what is known of {}", id.value()))?;
        records.push(record);
    }
    Ok(records)
}

/// The database with the file that it is in. After an error of the disk it takes nothing more until it
/// is opened anew, which finds what was written before.
struct Opened {
    path: PathBuf,
    database: RwLock<Option<Database>>,
}

impl Opened {
    fn read(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes `batch`. What an error has kept from the disk is tried once more, in a database opened anew.
    fn write(&self, batch: &[Change]) -> Result<(), Box<dyn std::error::Error>> {
        if let Some(database) = self.read().as_ref()
            && let Err(error) = write_batch(database, batch)
        {
            tracing::warn!(%error, "writing the state; it is opened anew");
        } else if self.read().is_some() {
            return Ok(());
        }
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        // The file is locked as long as it is open.
        drop(database.take());
        let new = create(&self.path)?;
        let outcome = write_batch(&new, batch);
        if outcome.is_ok() {
            *database = Some(new);
        }
        outcome
    }
}

/// Changes that could not be written are kept up to this number, for the time when there is room again.
const KEPT: usize = 4 * BATCH;

fn write_all(database: &Opened, changes: &Receiver<(Change, oneshot::Sender<bool>)>) {
    let mut behind: Vec<Change> = Vec::new();
    while let Ok((first, done)) = changes.recv() {
        let (mut batch, mut waiting) = (std::mem::take(&mut behind), vec![done]);
        batch.push(first);
        while waiting.len() < BATCH
            && let Ok((next, done)) = changes.try_recv()
        {
            batch.push(next);
            waiting.push(done);
        }
        let good = match database.write(&batch) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "the state could not be written");
                // What is known in memory goes on from there, and so must what is on the disk.
                batch.drain(..batch.len().saturating_sub(KEPT));
                behind = batch;
                false
            }
        };
        for done in waiting {
            // Who asked may be gone.
            let _ = done.send(good);
        }
    }
}

fn write_batch(database: &Database, batch: &[Change]) -> Result<(), Box<dyn std::error::Error>> {
    let transaction = database.begin_write()?;
    {
        let mut machines = transaction.open_table(MACHINES)?;
        let mut logs = transaction.open_table(LOGS)?;
        for change in batch {
            match change {
                Change::Put(record) => {
                    machines.insert(record.id.as_str(), serde_json::to_vec(record)?.as_slice())?;
                }
                Change::Forget(id) => {
                    machines.remove(id.as_str())?;
                    logs.remove(id.as_str())?;
                }
                Change::Log(id, text) => {
                    logs.insert(id.as_str(), text.as_slice())?;
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_acknowledged_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let (store, records) = Store::open(&path).unwrap();
        assert!(records.is_empty());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let first = store.write(Change::Put(Box::new(Record::new("a", true))));
        let second = store.write(Change::Put(Box::new(Record::new("b", false))));
        let third = store.write(Change::Log("a".to_owned(), b"log".to_vec()));
        let last = store.write(Change::Forget("b".to_owned()));
        for written in [first, second, third, last] {
            assert!(written.blocking_recv().unwrap());
        }
        assert_eq!(store.log("a").unwrap().as_deref(), Some(b"log".as_slice()));
        let busy = Store::open(&path).err().unwrap().to_string();
        assert!(busy.contains("another server"), "{busy}");
        drop(store);
        let records = loop {
            // The writer leaves the database a moment later.
            match Store::open(&path) {
                Ok((_, records)) => break records,
                Err(error) => assert!(error.to_string().contains("another server"), "{error}"),
            }
        };
        assert_eq!(records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn a_full_disk_is_waited_out() {
        assert!(rustix::process::geteuid().is_root(), "this test mounts and needs root");
        let failed = Error::failed(Stage::Request, "panicked");
        installer_core::host::in_private_mounts("full", Stage::Request, failed, || {
            let dir = tempfile::tempdir().unwrap();
            let target = dir.path().to_owned();
            let kind = installer_core::host::MountKind::Virtual("tmpfs");
            let mount = installer_core::host::Mount { source: "tmpfs".into(), target: target.clone(), kind };
            use installer_core::host::Host as _;
            installer_core::host::Real.mount(&mount).unwrap();
            let size = |size: &str| {
                let status = std::process::Command::new("mount")
                    .args(["-o", &format!("remount,size={size}"), &target.display().to_string()])
                    .status();
                assert!(status.unwrap().success());
            };
            let path = target.join("state");
            let (store, _) = Store::open(&path).unwrap();
            assert!(store.write(Change::Log("a".to_owned(), b"first".to_vec())).blocking_recv().unwrap());
            // Room for nothing more.
            let filler = target.join("filler");
            size("8m");
            let _ = std::fs::write(&filler, vec![1; 16 << 20]);
            let log = vec![b'x'; 1 << 20];
            assert!(!store.write(Change::Log("b".to_owned(), log.clone())).blocking_recv().unwrap());
            assert!(!store.write(Change::Put(Box::new(Record::new("c", true)))).blocking_recv().unwrap());
            std::fs::remove_file(filler).unwrap();
            size("64m");
            assert!(store.write(Change::Put(Box::new(Record::new("d", true)))).blocking_recv().unwrap());
            assert_eq!(store.log("a").unwrap().as_deref(), Some(b"first".as_slice()));
            assert_eq!(store.log("b").unwrap(), Some(log));
            let database = store.database.read();
            let ids: Vec<String> = read(database.as_ref().unwrap()).unwrap().into_iter().map(|r| r.id).collect();
            assert_eq!(ids, ["c", "d"]);
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn a_newer_state_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let database = Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(META).unwrap().insert("schema", SCHEMA + 1).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let error = Store::open(&path).err().unwrap();
        assert!(error.to_string().contains("schema 2"), "{error}");
        assert!(error.remedy().unwrap().to_string().contains("nothing was changed"));
    }

    #[test]
    fn what_is_no_state_is_told_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        std::fs::write(&path, "[machines]\n").unwrap();
        assert!(Store::open(&path).err().unwrap().to_string().contains("opening the state"));
        assert!(Store::open(&dir.path().join("no/such/dir")).is_err());
    }
}
