//! What an operator reads when a step fails: which one it was, and what to do about it.

use crate::error::Error;
use crate::plan::Step;

/// `error`, which ended step `number`, with the step's name in front and a remedy.
pub fn about(error: Error, number: usize, step: &Step) -> Error {
    let has_remedy = error.remedy().is_some();
    let error = error.context(format_args!("step {number} ({})", step.title()));
    if has_remedy { error } else { error.hint(remedy(step)) }
}

/// `error`, met when everything was done and had only to be closed.
pub fn about_closing(error: Error) -> Error {
    let has_remedy = error.remedy().is_some();
    let error = error.context("closing what was open");
    if has_remedy { error } else { error.hint(remedy(&Step::Finish)) }
}

/// What usually helps where the error itself does not know.
fn remedy(step: &Step) -> &'static str {
    match step {
        Step::CreateImageFile { .. } => {
            "see that the directory is there, is writable and has room, and that a loop \
            device is free"
        }
        Step::Wipe { .. }
        | Step::WipePartition { .. }
        | Step::Partition(_)
        | Step::CreateGroup(_)
        | Step::CreateVolume(_) => {
            "see in the kernel's log (dmesg) whether the disk fails or is in use, and install again"
        }
        Step::Format(_) | Step::Mount { .. } | Step::Adopt { .. } => {
            "see in the kernel's log (dmesg) whether the disk fails; else try another file system, and install again"
        }
        Step::InitialiseSysroot { .. } | Step::Import { .. } | Step::Deploy { .. } => {
            "see in the kernel's log (dmesg) whether the disk fails or is full, and install again"
        }
        Step::Bootloader(_) | Step::BootOrder { .. } => {
            "the installation's log has what the image's own program said; mend the image, and install again"
        }
        Step::Script(_) => "the installation's log has the script's output; mend it, and install again",
        Step::Fstab { .. }
        | Step::Change(_)
        | Step::Group(_)
        | Step::User(_)
        | Step::SshKeys { .. }
        | Step::RootPassword { .. }
        | Step::Credentials { .. } => {
            "see what the image has at that path, and whether the disk is full; mend the image or leave the line out"
        }
        Step::Finish => "see in the kernel's log (dmesg) whether the disk fails, and install again",
    }
}
