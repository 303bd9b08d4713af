//! Nothing is erased without consent. Pure: a person is asked elsewhere.

use kickstart_parser::Kickstart;

use crate::error::{Error, Remedy, Result, Stage};
use crate::plan::Plan;
use crate::request::{Clear, Layout, Request};
use crate::storage::select::Target;

/// Whether the kickstart says itself that disks may be cleared, or which partitions are made anew.
pub fn allows_clearing(kickstart: &Kickstart, request: &Request) -> bool {
    let names_partitions = matches!(&request.layout, Layout::Custom(custom) if !custom.existing.is_empty());
    kickstart.zerombr.is_some() || request.disks.clear != Clear::Nothing || names_partitions
}

/// Whether there is nothing to give away: a disk image that is new.
pub fn loses_nothing(plan: &Plan) -> bool {
    matches!(plan.target, Target::ImageFile(_)) && plan.destroys.is_empty()
}

/// Whether what `plan` destroys was given away by a kickstart that `allows_clearing`. A
/// kickstart speaks of disks; that a file may be replaced must be said where it is named.
pub fn consent(plan: &Plan, allows_clearing: bool) -> Result<()> {
    let file = matches!(plan.target, Target::ImageFile(_));
    if loses_nothing(plan) || (allows_clearing && !file) {
        return Ok(());
    }
    let name = plan.target.names();
    let remedy = if file { Remedy::AgreeToReplace } else { Remedy::Agree };
    Err(Error::refused(Stage::Plan, format!("{name} may not be overwritten without consent")).hint(remedy))
}
