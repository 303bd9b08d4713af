//! The unattended ISO of bootc-ks. Nothing is here yet.
//!
//! It will hold the making of an ISO that starts under BIOS and UEFI, installs without a
//! question, and can be customised in place with another kickstart.
//!
//! Until then `bootc-ks install` runs in a rescue system of any kind; see docs/install.md.
