//! What an installation tells while it runs: one stream of events for the terminal, JSON
//! lines, a webhook and Anaconda. Emitting never fails and never blocks for long.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Stage};
use crate::units::{Bytes, Digest};

/// The version of the JSON form of [`Event`].
pub const SCHEMA: u32 = 1;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The image is being read, before anything is decided.
    Looking {
        /// With its transport.
        image: String,
        /// How many layers there are.
        layers: usize,
        /// Their compressed size.
        size: Bytes,
    },
    /// A layer has been read and verified, before anything is decided.
    LayerRead {
        /// Counted from 1.
        layer: usize,
        /// How many layers there are.
        layers: usize,
    },
    /// An installation begins.
    Started {
        /// [`SCHEMA`].
        schema: u32,
        /// The plan's own digest.
        plan: Digest,
        /// How many steps there are.
        steps: usize,
    },
    /// A step begins.
    StepStarted {
        /// Counted from 1.
        step: usize,
        /// How many there are.
        steps: usize,
        /// What it does, for people.
        title: String,
    },
    /// A step is done.
    StepFinished {
        /// Counted from 1.
        step: usize,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// A layer is being fetched and imported.
    LayerStarted {
        /// Counted from 1.
        layer: usize,
        /// How many layers there are.
        layers: usize,
        /// Its digest.
        digest: Digest,
        /// Its compressed size.
        size: Bytes,
    },
    /// Bytes fetched so far, over all layers; a few times a second at most.
    Progress {
        /// Compressed bytes fetched.
        done: Bytes,
        /// Compressed bytes in all.
        total: Bytes,
    },
    /// A layer is in the repository, its digests verified.
    LayerFinished {
        /// Counted from 1.
        layer: usize,
    },
    /// Something went wrong and is being tried again.
    Retry {
        /// What and why.
        message: String,
        /// The coming attempt, counted from 2.
        attempt: u32,
        /// Seconds until then.
        wait_seconds: f64,
    },
    /// Something that the admin should know and that does not stop the installation.
    Warning {
        /// The sentence.
        message: String,
    },
    /// A line of a kickstart script's output.
    Output {
        /// The line, without its end.
        line: String,
    },
    /// It is done.
    Finished {
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// It failed.
    Failed {
        /// What kind of trouble.
        kind: Kind,
        /// Where in the installation.
        stage: Stage,
        /// The sentence.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// Whether the disk had been written to.
        disk_touched: bool,
    },
}

impl Event {
    /// The failure as an event.
    pub fn failed(error: &Error) -> Self {
        Event::Failed {
            kind: error.kind(),
            stage: error.stage(),
            message: error.to_string(),
            hint: error.remedy().map(str::to_owned),
            disk_touched: error.touched(),
        }
    }
}

/// A listener.
pub trait Sink: Send + Sync {
    /// Takes one event. Called from several threads.
    fn emit(&self, event: &Event);
}

/// No listener: events are dropped.
pub struct Silent;

impl Sink for Silent {
    fn emit(&self, _event: &Event) {}
}

impl<F: Fn(&Event) + Send + Sync> Sink for F {
    fn emit(&self, event: &Event) {
        self(event);
    }
}
