//! The Python module and the Anaconda add-on of bootc-ks.
