//! The installed system's own settings: accounts and small files. Pure; `apply` writes them.

pub mod accounts;
pub mod boot_entry;
pub mod files;
pub mod password;
