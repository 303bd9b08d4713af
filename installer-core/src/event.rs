//! What an installation tells while it runs: one stream of events for the terminal, JSON
//! lines, a webhook and Anaconda. Emitting never fails and never blocks for long.
//!
//! Every program of ours that reads the lines reads them as an [`Event`], so writer and readers
//! cannot disagree. The reader may be the older one (a boot server, an installer environment
//! that was made last year): what it has no name for is an [`Event::Other`], kept as it came.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::{Error, Kind, Remedy, Stage, Words};
use crate::units::{Bytes, Digest};

/// The version of the JSON form of [`Event`].
pub const SCHEMA: u32 = 1;

/// Something that happened.
///
/// In JSON its name is in `type`, and in `event` as well, where it was before every line had a
/// `type`. A line with either is understood.
// `remote` makes serde's form a pair of functions, which the two implementations below call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "event", rename_all = "kebab-case")]
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
    /// What this version has no name for, or a value in it that this version does not know: all
    /// fields as they came. Programs of this version write none.
    #[serde(skip)]
    Other(Map<String, Value>),
}

impl Event {
    /// Its name in `type`; empty where another program's line has none.
    pub fn name(&self) -> &str {
        match self {
            Event::Looking { .. } => "looking",
            Event::LayerRead { .. } => "layer-read",
            Event::Started { .. } => "started",
            Event::StepStarted { .. } => "step-started",
            Event::StepFinished { .. } => "step-finished",
            Event::LayerStarted { .. } => "layer-started",
            Event::Progress { .. } => "progress",
            Event::LayerFinished { .. } => "layer-finished",
            Event::Retry { .. } => "retry",
            Event::Warning { .. } => "warning",
            Event::Output { .. } => "output",
            Event::Finished { .. } => "finished",
            Event::Failed { .. } => "failed",
            Event::Other(fields) => {
                let name = fields.get("type").or_else(|| fields.get("event"));
                name.and_then(Value::as_str).unwrap_or_default()
            }
        }
    }

    /// The failure as an event, its remedy in the `words` of a front door.
    pub fn failed(error: &Error, words: &Words<'_>) -> Self {
        Event::Failed {
            kind: error.kind(),
            stage: error.stage(),
            message: error.to_string(),
            hint: error.remedy().map(|remedy| remedy.say(words)),
            disk_touched: error.touched(),
        }
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            r#type: &'a str,
            #[serde(flatten, with = "Event")]
            event: &'a Event,
        }
        match self {
            Event::Other(fields) => fields.serialize(serializer),
            event => Line { r#type: event.name(), event }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::deserialize(deserializer)?;
        let mut named = fields.clone();
        if let Some(name) = fields.get("type") {
            named.insert("event".to_owned(), name.clone());
        }
        Ok(Event::deserialize(Value::Object(named)).unwrap_or(Event::Other(fields)))
    }
}

/// A listener.
pub trait Sink: Send + Sync {
    /// Takes one event. Called from several threads.
    fn emit(&self, event: &Event);

    /// How the front door that listens here says a remedy ([`Remedy::say`]).
    fn words(&self, _remedy: &Remedy) -> Option<String> {
        None
    }
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

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_string, to_value};

    use super::*;

    fn digest() -> Digest {
        Digest::of(b"")
    }

    #[test]
    fn every_event_has_its_name_twice_and_is_read_again() {
        let (layer, layers, step, steps, size) = (1, 2, 3, 4, Bytes(5));
        let message = || "m".to_owned();
        let all = [
            Event::Looking { image: message(), layers, size },
            Event::LayerRead { layer, layers },
            Event::Started { schema: SCHEMA, plan: digest(), steps },
            Event::StepStarted { step, steps, title: message() },
            Event::StepFinished { step, millis: 6 },
            Event::LayerStarted { layer, layers, digest: digest(), size },
            Event::Progress { done: size, total: size },
            Event::LayerFinished { layer },
            Event::Retry { message: message(), attempt: 2, wait_seconds: 0.5 },
            Event::Warning { message: message() },
            Event::Output { line: message() },
            Event::Finished { millis: 7 },
            Event::failed(&Error::refused(Stage::Plan, "no"), &|_| None),
        ];
        for event in all {
            let written = to_value(&event).unwrap();
            assert_eq!((&written["type"], &written["event"]), (&event.name().into(), &event.name().into()));
            assert_eq!(from_value::<Event>(written.clone()).unwrap(), event);
            // As an older version wrote it, and as one to come may.
            for other in ["type", "event"] {
                let mut one = written.clone();
                one.as_object_mut().unwrap().remove(other);
                assert_eq!(from_value::<Event>(one).unwrap(), event, "without {other}");
            }
        }
    }

    #[test]
    fn the_name_comes_first_on_a_line() {
        let line = to_string(&Event::StepFinished { step: 1, millis: 3 }).unwrap();
        assert_eq!(line, r#"{"type":"step-finished","event":"step-finished","step":1,"millis":3}"#);
    }

    #[test]
    fn what_is_newer_is_kept_as_it_came() {
        let newer = [
            json!({"type": "disk-warmed", "degrees": 40}),
            // A name that is known, with a value that is not.
            json!({"type": "failed", "event": "failed", "kind": "weather", "stage": "plan", "message": "m"}),
            // Of another kind than the older name says.
            json!({"type": "disk-warmed", "event": "finished", "millis": 1}),
            json!({"no": "name"}),
        ];
        for line in newer {
            let event: Event = from_value(line.clone()).unwrap();
            assert!(matches!(event, Event::Other(_)), "{event:?}");
            assert_eq!(event.name(), line["type"].as_str().unwrap_or_default());
            assert_eq!(to_value(&event).unwrap(), line);
        }
        let more = json!({"type": "finished", "millis": 1, "watts": 60});
        assert_eq!(from_value::<Event>(more).unwrap(), Event::Finished { millis: 1 }, "fields may be added");
        assert!(from_value::<Event>(json!(["finished"])).is_err());
    }
}
