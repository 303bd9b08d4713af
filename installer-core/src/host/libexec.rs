//! Where the programs are that come with this one and are not for people to type.

use std::path::{Path, PathBuf};
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

/// The directory of this program. It is looked up once, before an installation has mounts of its own:
/// in a chroot the kernel tells another path of the program from then on, one from outside.
fn beside() -> Option<&'static Path> {
    static BESIDE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || std::env::current_exe().ok().and_then(|path| path.parent().map(ToOwned::to_owned));
    BESIDE.get_or_init(find).as_deref()
}

/// The directories, the best first.
fn directories() -> Vec<PathBuf> {
    if let Some(dir) = std::env::var_os(LIBEXEC_VARIABLE) {
        return vec![PathBuf::from(dir)];
    }
    let beside = beside();
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
