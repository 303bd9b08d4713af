//! Work whose mounts no other process sees.

use crate::error::{Context, Error, Result, Stage};

/// Does `work` on a thread of its own, in a mount namespace of its own: what is mounted there
/// vanishes with it, whatever happens. `panicked` is what a panic comes to.
pub fn in_private_mounts<T: Send>(
    name: &str,
    stage: Stage,
    panicked: Error,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    // A mount namespace belongs to a thread and cannot be left.
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn_scoped(scope, || {
                crate::ffi::namespace::private_mounts().map_err(|error| {
                    // The mounts of a chroot belong to a process that is not seen from inside.
                    let hint = match error.raw_os_error() {
                        Some(libc::EINVAL) => "in a chroot, make its root a mount point first: mount --bind DIR DIR",
                        _ => "run as root",
                    };
                    Error::world(stage, "making a mount namespace").because(error).hint(hint)
                })?;
                work()
            })
            .doing(stage, format_args!("starting a thread ({name})"))?;
        worker.join().unwrap_or(Err(panicked))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_as_an_error() {
        if !rustix::process::geteuid().is_root() {
            panic!("this test makes a mount namespace and needs root");
        }
        let gone = Error::failed(Stage::Media, "gone");
        let outcome: Result<()> = in_private_mounts("test", Stage::Media, gone, || panic!("on purpose"));
        assert_eq!(outcome.unwrap_err().to_string(), "gone");
    }
}
