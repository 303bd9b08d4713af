//! Where an installation keeps its files.

/// What belongs to this run alone.
pub const WORK: &str = "/run/bootc-ks";
/// The kickstart, once found.
pub const KICKSTART: &str = "/run/bootc-ks/ks.cfg";
