//! The installed system's own settings: accounts and small files. Pure; `apply` writes them.

pub(crate) mod accounts;
pub(crate) mod boot_entry;
pub(crate) mod files;
pub mod password;
