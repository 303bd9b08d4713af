//! Where the programs are that come with this one and are not for people to type.

use std::path::PathBuf;
use std::sync::OnceLock;

/// The variable that names the directory. Where it is set, no other one is looked at.
pub const LIBEXEC_VARIABLE: &str = "BOOTC_KS_LIBEXEC";
/// Where packages put them.
const SYSTEM: &str = "/usr/libexec/bootc-ks";

static ADDED: OnceLock<PathBuf> = OnceLock::new();

/// Says where they are, for a library in a program that is not ours. The first word counts.
pub fn set_libexec(dir: PathBuf) {
    let _ = ADDED.set(dir);
}

/// The directories, the best first.
fn directories() -> Vec<PathBuf> {
    if let Some(dir) = std::env::var_os(LIBEXEC_VARIABLE) {
        return vec![PathBuf::from(dir)];
    }
    let executable = std::env::current_exe().ok();
    let beside = executable.as_deref().and_then(|path| path.parent());
    let prefix = beside.and_then(|dir| dir.parent());
    ADDED
        .get()
        .cloned()
        .into_iter()
        .chain(beside.map(ToOwned::to_owned))
        .chain(prefix.map(|prefix| prefix.join("libexec/bootc-ks")))
        .chain([PathBuf::from(SYSTEM)])
        .collect()
}

/// Where `name` is.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    directories().into_iter().map(|dir| dir.join(name)).find(|path| path.is_file())
}
