//! The plan itself, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::step::Step;
use crate::error::{Error, Result, Stage};
use crate::image::PolicyFacts;
use crate::request::{EndAction, Password, Script};
use crate::storage::select::{Loss, Target};
use crate::units::{Bytes, Digest, Secret};

/// The version of the JSON form of [`Plan`].
pub const SCHEMA: u32 = 2;

/// What will happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Where the system goes.
    pub target: Target,
    /// What will be gone.
    pub destroys: Vec<Loss>,
    /// The image.
    pub image: PlannedImage,
    /// What will be done, in order.
    pub steps: Vec<Step>,
    /// Scripts for an installation that fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_failure: Vec<Script>,
    /// What the admin should know before.
    pub warnings: Vec<String>,
    /// What happens at the end.
    pub end: EndAction,
    /// Passwords by user; not part of any text.
    #[serde(skip)]
    pub passwords: BTreeMap<String, Password>,
    /// What is put in place of words in the changes; not part of any text.
    #[serde(skip)]
    pub secrets: BTreeMap<String, Secret>,
    /// The auth.json of the installed system; not part of any text.
    #[serde(skip)]
    pub credentials: Option<Secret>,
}

/// The image of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedImage {
    /// Where it is fetched from.
    pub source: String,
    /// The manifest that was looked at; nothing else is installed.
    pub digest: Digest,
    /// Where updates come from.
    pub updates_from: String,
    /// What its files need.
    pub unpacked_size: Bytes,
    /// By which rule of a policy.json it may be used. Beside the digest of the plan: that file is
    /// the installing machine's, and is asked again there.
    #[serde(skip)]
    pub signature_policy: Option<PolicyFacts>,
}

impl Plan {
    /// The digest of the plan: `install --plan-digest` installs this and nothing else.
    pub fn digest(&self) -> Result<Digest> {
        let json = serde_json::to_vec(self)
            .map_err(|error| Error::failed(Stage::Plan, "writing the plan as JSON").because(error))?;
        Ok(Digest::of(&json))
    }

    /// The plan as JSON with its digest beside what it is the digest of.
    pub fn document(&self) -> Result<serde_json::Value> {
        let json = |error| Error::failed(Stage::Plan, "writing the plan as JSON").because(error);
        let mut value = serde_json::to_value(self).map_err(json)?;
        if let Some(rule) = &self.image.signature_policy {
            value["image"]["signature_policy"] = serde_json::to_value(rule).map_err(json)?;
        }
        value["digest"] = serde_json::to_value(self.digest()?).map_err(json)?;
        Ok(value)
    }
}
