//! A mount namespace of one's own.

use std::io;

use rustix::mount::{MountPropagationFlags, mount_change};

/// Gives the calling thread, and every thread and process that it starts afterwards, mounts
/// that no other process sees and that vanish with the last of them.
pub fn private_mounts() -> io::Result<()> {
    // SAFETY: unshare takes flags by value and touches no memory of ours. CLONE_NEWNS makes
    // this thread's root and working directory its own, which no code here relies on sharing.
    if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // What is mounted outside still arrives; what is mounted here does not leave.
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    Ok(())
}
