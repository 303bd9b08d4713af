//! What every command is made of.

use crate::args::spec::Spec;
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;

/// A command: its table and what it does to a kickstart.
pub(crate) struct Command {
    pub spec: &'static Spec,
    pub apply: fn(&Args, &mut Cx<'_>, &mut Kickstart),
}
