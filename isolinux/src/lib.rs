//! The unattended ISO of bootc-ks.
