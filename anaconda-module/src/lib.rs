//! The Python package and the Anaconda add-on of bootc-ks. Nothing is here yet.
//!
//! It will hold
//!
//! - the Python module (abi3), which gives the four verbs of `installer-core` to Python:
//!   a request in, a plan out, events while it is carried out;
//! - the Anaconda add-on, which reads `%addon org_bootc_ks` and calls that module.
//!
//! Until then the command is the only front door.
