//! The machines together: what is asked and reported goes in, answers come out, and nothing is
//! answered that is not on disk first. No HTTP here, and no clock but the caller's.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use installer_core::event::Event;
use installer_core::{Error, Result, Stage};
use serde_json::Value;

use super::identity::{self, Identity};
use super::inventory::Inventory;
use super::machines::{Machines, Selected};
use super::record::{Answer, Record, State};
use super::store::{Change, Store, Written};
use super::template::Kickstarts;
use super::token;

/// Machines without a name that are remembered all the same.
const UNNAMED_MACHINES: usize = 10_000;

/// All machines.
pub struct Fleet {
    inventory: Inventory,
    kickstarts: Kickstarts,
    store: Store,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    records: HashMap<String, Record>,
    /// Which machine a token belongs to. Tokens are too long to be found by how long a look
    /// into this table takes.
    tokens: HashMap<String, String>,
    /// By the tokens for reports.
    reports: HashMap<String, String>,
    /// Counts changes.
    version: u64,
}

/// Why a client gets nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// There is nothing of the kind, or not for who asks.
    Unknown(String),
    /// What was sent is no such thing.
    Bad(String),
    /// It is not the time for it.
    State(String),
    /// Something here is wrong, and the admin has been told.
    Broken(String),
}

/// What a client gets, and when it may be said.
pub type Reply<T> = (T, Option<Written>);

/// What a machine that asks is to do.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Its name here.
    pub id: String,
    /// Install, or its own disk.
    pub answer: Answer,
    /// Arguments of its kernel.
    pub kargs: Vec<String>,
    /// Why it is its own disk, for the screen.
    pub why: String,
}

impl Fleet {
    /// Machines and kickstarts out of files, states out of the database.
    pub fn open(machines: PathBuf, kickstarts: PathBuf, state: &std::path::Path) -> Result<Self> {
        let inventory = Inventory::open(machines)?;
        let (store, records) = Store::open(state)?;
        let mut known = Known::default();
        for record in records {
            if let Some(session) = &record.session {
                known.reports.insert(token::for_reports(&session.token), record.id.clone());
                known.tokens.insert(session.token.clone(), record.id.clone());
            }
            known.records.insert(record.id.clone(), record);
        }
        Ok(Fleet { inventory, kickstarts: Kickstarts::new(kickstarts), store, known: Mutex::new(known) })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with machines.toml since it was read well.
    pub fn problem(&self) -> Option<String> {
        self.inventory.problem()
    }

    /// A machine asks what to boot.
    pub fn boot(&self, now: u64, who: &Identity, url: &str) -> Result<Reply<Boot>, Denied> {
        let machines = self.inventory.machines();
        let selected = machines.select(who);
        let Some(id) = name(selected.as_ref(), who) else {
            return Err(Denied::Bad("neither mac nor uuid nor serial is one".to_owned()));
        };
        let local = |why: String| Boot { id: id.clone(), answer: Answer::Local, kargs: Vec::new(), why };
        let mut known = self.known();
        let Some(mut record) = known.meet(&id, selected.as_ref(), &self.store) else {
            return Ok((local("this server knows too many machines already".to_owned()), None));
        };
        record.seen = Some(now);
        let wanted = matches!(record.state, State::Armed | State::Booting);
        let obstacle = match &selected {
            _ if !wanted => None,
            None => Some("machines.toml has neither an entry for it nor a [default]".to_owned()),
            Some(selected) => {
                selected.contradiction(who).map(|text| format!("another machine asked in its name: {text}"))
            }
        };
        if let Some(text) = obstacle {
            record.remark(now, text.clone());
            return Ok((local(text), Some(known.save(record, &self.store))));
        }
        record.who.merge(who);
        if let (true, Some(selected)) = (wanted, &selected)
            && let Err(error) = self.kickstarts.render(selected, &id, &record.who, url)
        {
            // Told now, while the machine is as it was.
            record.remark(now, error.to_string());
            tracing::error!(machine = id, %error, "the kickstart cannot be rendered");
            return Ok((local(error.to_string()), Some(known.save(record, &self.store))));
        }
        let answer = record.ask(now, token::new).map_err(|error| Denied::Broken(format!("making a token: {error}")))?;
        let kargs = selected.map(|selected| selected.profile.kargs).unwrap_or_default();
        let why = format!("{id} is {}", record.state.word());
        tracing::info!(
            machine = id,
            state = record.state.word(),
            install = answer != Answer::Local,
            "asked what to boot"
        );
        Ok((Boot { id, answer, kargs, why }, Some(known.save(record, &self.store))))
    }

    /// The kickstart for the token of a boot.
    pub fn kickstart(&self, now: u64, token: &str, url: &str) -> Result<Reply<String>, Denied> {
        let mut known = self.known();
        let mut record = known.by_token(token)?;
        self.hand_out(now, &mut known, &mut record, url)
    }

    /// The kickstart of an armed machine that has no token, as Anaconda asks for it. This is
    /// its one installation, too.
    pub fn kickstart_of(&self, now: u64, who: &Identity, url: &str) -> Result<Reply<String>, Denied> {
        let state = {
            let machines = self.inventory.machines();
            let id = name(machines.select(who).as_ref(), who);
            id.and_then(|id| self.known().records.get(&id).map(|record| record.state))
        };
        if state != Some(State::Armed) {
            return Err(Denied::State("no kickstart: this machine is not armed".to_owned()));
        }
        match self.boot(now, who, url)? {
            (Boot { answer: Answer::Install(token), .. }, _) => self.kickstart(now, &token, url),
            (Boot { why, .. }, _) => Err(Denied::State(format!("no kickstart: {why}"))),
        }
    }

    fn hand_out(&self, now: u64, known: &mut Known, record: &mut Record, url: &str) -> Result<Reply<String>, Denied> {
        let machines = self.inventory.machines();
        let selected = select_again(&machines, record)
            .ok_or_else(|| Denied::State("machines.toml does not know this machine any more".to_owned()))?;
        let text = self.kickstarts.render(&selected, &record.id, &record.who, url).map_err(|error| {
            tracing::error!(machine = record.id, %error, "the kickstart cannot be rendered");
            Denied::Broken(error.to_string())
        })?;
        record.fetch(now).map_err(|refused| Denied::State(refused.0))?;
        tracing::info!(machine = record.id, "has its kickstart");
        Ok((text, Some(known.save(record.clone(), &self.store))))
    }

    /// Events of the installer, one JSON document a line.
    pub fn events(&self, now: u64, token: &str, lines: &str) -> Result<(), Denied> {
        let mut known = self.known();
        let mut record = known.by_token_for_reports(token)?;
        if !record.may_report(now) {
            return Err(Denied::State("this installation is over".to_owned()));
        }
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let event: Event = serde_json::from_str(line)
                .map_err(|_| Denied::Bad("events are JSON objects, one a line".to_owned()))?;
            record.event(now, &event);
        }
        // Progress that a crash loses comes again a second later.
        drop(known.save(record, &self.store));
        Ok(())
    }

    /// The installer says where it is.
    pub fn report(&self, now: u64, token: &str, state: State, error: Option<Value>) -> Result<Reply<()>, Denied> {
        let mut known = self.known();
        let mut record = known.by_token_for_reports(token)?;
        if !record.may_report(now) {
            return Err(Denied::State("this installation is over".to_owned()));
        }
        let outcome = record.report(now, state, error);
        tracing::info!(machine = record.id, state = record.state.word(), "reported");
        let written = known.save(record, &self.store);
        outcome.map(|()| ((), Some(written))).map_err(|refused| Denied::State(refused.0))
    }

    /// The installer's log.
    pub fn take_log(&self, now: u64, token: &str, text: Vec<u8>) -> Result<Reply<()>, Denied> {
        let record = self.known().by_token_for_reports(token)?;
        if !record.may_report(now) {
            return Err(Denied::State("this installation is over".to_owned()));
        }
        Ok(((), Some(self.store.write(Change::Log(record.id, text)))))
    }

    /// Allows a machine (by name, address, UUID or serial number) one installation.
    pub fn arm(&self, now: u64, word: &str, force: bool) -> Result<Reply<Record>> {
        let (id, selected) = self.find(word)?;
        let Some(selected) = selected else {
            return Err(Error::input(Stage::Request, format!("{id} has no kickstart"))
                .hint("give it an entry in machines.toml, or give that a [default]"));
        };
        self.kickstarts.check(&selected.profile.kickstart)?;
        self.change(&id, Some(&selected), |record| record.arm(now, force))
            .map_err(|error| error.hint("--force arms it all the same; what runs there is not stopped by that"))
    }

    /// Takes the permission back.
    pub fn disarm(&self, now: u64, word: &str) -> Result<Reply<Record>> {
        let (id, selected) = self.find(word)?;
        self.change(&id, selected.as_ref(), |record| record.disarm(now))
    }

    fn change(
        &self,
        id: &str,
        selected: Option<&Selected>,
        change: impl FnOnce(&mut Record) -> Result<(), super::record::Refused>,
    ) -> Result<Reply<Record>> {
        let mut known = self.known();
        let mut record = known.records.get(id).cloned().unwrap_or_else(|| unmet(id, selected));
        record.named = selected.is_some_and(|selected| selected.name.is_some());
        change(&mut record).map_err(|refused| Error::refused(Stage::Request, refused.0))?;
        tracing::info!(machine = id, state = record.state.word(), "set by an admin");
        let written = known.save(record.clone(), &self.store);
        Ok((record, Some(written)))
    }

    /// The machine that a word stands for: a name of machines.toml, or an address, UUID or
    /// serial number, known there or heard of.
    fn find(&self, word: &str) -> Result<(String, Option<Selected>)> {
        let machines = self.inventory.machines();
        if let Some(selected) = machines.named(word) {
            return Ok((word.to_owned(), Some(selected)));
        }
        let mac = identity::mac(word);
        let uuid = identity::uuid(word);
        let serial = if mac.is_none() && uuid.is_none() { identity::serial(word) } else { None };
        let sure = mac.is_some() || uuid.is_some();
        let who = Identity { mac, uuid, serial };
        let known = self.known();
        let met = known.records.get(word).or_else(|| known.records.values().find(|record| record.who.has(&who)));
        let who = met.map_or(who, |record| record.who.clone());
        let selected = machines.select(&who);
        match name(selected.as_ref(), &who) {
            Some(id) if sure || met.is_some() || selected.as_ref().is_some_and(|s| s.name.is_some()) => {
                Ok((id, selected))
            }
            _ => Err(Error::input(Stage::Request, format!("there is no machine '{}'", word.escape_debug()))
                .hint("'bootc-ks netboot list' names them; new ones go into machines.toml")),
        }
    }

    /// What is known of a machine.
    pub fn show(&self, word: &str) -> Result<Record> {
        let (id, selected) = self.find(word)?;
        let known = self.known();
        Ok(known.records.get(&id).cloned().unwrap_or_else(|| unmet(&id, selected.as_ref())))
    }

    /// The log that a machine's installer has sent.
    pub fn log(&self, word: &str) -> Result<Option<Vec<u8>>> {
        let (id, _) = self.find(word)?;
        self.store.log(&id)
    }

    /// All machines: those that were met and those that are only in the file, by name.
    pub fn list(&self) -> (u64, Vec<Record>) {
        let machines = self.inventory.machines();
        let known = self.known();
        let mut all: Vec<Record> = known.records.values().cloned().collect();
        let unmet_ones = machines.all().filter(|s| s.name.as_ref().is_some_and(|n| !known.records.contains_key(n)));
        all.extend(unmet_ones.map(|selected| unmet(selected.name.as_deref().unwrap_or_default(), Some(&selected))));
        let version = known.version.wrapping_add(self.inventory.version() << 32);
        drop(known);
        all.sort_by(|a, b| a.id.cmp(&b.id));
        (version, all)
    }
}

impl Known {
    /// The record of a machine that asks; a new one for an unknown machine, while there is room.
    fn meet(&mut self, id: &str, selected: Option<&Selected>, store: &Store) -> Option<Record> {
        let named = selected.is_some_and(|selected| selected.name.is_some());
        if let Some(record) = self.records.get(id) {
            return Some(Record { named, ..record.clone() });
        }
        if !named && self.records.len() >= UNNAMED_MACHINES {
            let idle = self.records.values().filter(|r| !r.named && r.state == State::Unknown);
            let oldest = idle.min_by_key(|record| record.seen)?.id.clone();
            self.records.remove(&oldest);
            drop(store.write(Change::Forget(oldest)));
        }
        Some(Record::new(id, named))
    }

    /// The machine whose reports this token opens, and nothing else of it.
    fn by_token_for_reports(&self, given: &str) -> Result<Record, Denied> {
        let record = self.reports.get(given).and_then(|id| self.records.get(id));
        let current =
            record.filter(|r| r.session.as_ref().is_some_and(|session| token::for_reports(&session.token) == given));
        current.cloned().ok_or_else(|| Denied::Unknown("this token opens nothing".to_owned()))
    }

    fn by_token(&self, token: &str) -> Result<Record, Denied> {
        let record = self.tokens.get(token).and_then(|id| self.records.get(id));
        let current = record.filter(|r| r.session.as_ref().is_some_and(|session| session.token == token));
        current.cloned().ok_or_else(|| Denied::Unknown("this token opens nothing".to_owned()))
    }

    /// Keeps a record, here and on disk.
    fn save(&mut self, record: Record, store: &Store) -> Written {
        self.version += 1;
        let token = |record: &Record| record.session.as_ref().map(|session| session.token.clone());
        let old = self.records.get(&record.id).and_then(token);
        let new = token(&record);
        if old != new {
            if let Some(old) = old {
                self.reports.remove(&token::for_reports(&old));
                self.tokens.remove(&old);
            }
            if let Some(new) = new {
                self.reports.insert(token::for_reports(&new), record.id.clone());
                self.tokens.insert(new, record.id.clone());
            }
        }
        self.records.insert(record.id.clone(), record.clone());
        // Under the lock: the disk has them in the same order.
        store.write(Change::Put(Box::new(record)))
    }
}

/// The name of a machine: the file's, or what it says of itself.
fn name(selected: Option<&Selected>, who: &Identity) -> Option<String> {
    selected.and_then(|selected| selected.name.clone()).or_else(|| who.id())
}

fn select_again(machines: &Machines, record: &Record) -> Option<Selected> {
    machines.named(&record.id).or_else(|| machines.select(&record.who))
}

/// A machine of the file that has not been heard of.
fn unmet(id: &str, selected: Option<&Selected>) -> Record {
    let named = selected.is_some_and(|selected| selected.name.is_some());
    Record { who: selected.map(|s| s.expected.clone()).unwrap_or_default(), ..Record::new(id, named) }
}

/// Waits until a change is on disk.
pub async fn on_disk(written: Option<Written>) -> bool {
    match written {
        Some(written) => written.await.unwrap_or(false),
        None => true,
    }
}
