//! The installer environment and network boot of bootc-ks.
