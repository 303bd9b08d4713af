//! Whether /boot holds what starts the system, now and when it is updated. Pure.

use crate::error::{Error, Result, Stage};
use crate::image::ImageFacts;
use crate::request::Purpose;
use crate::storage::filesystem;
use crate::storage::layout::DiskLayout;
use crate::units::Bytes;

/// What else lies in /boot: GRUB with the modules for two kinds of firmware, its font, the entries.
const BESIDE_KERNELS: Bytes = Bytes::mib(16);

/// Refuses a /boot that is a file system of its own and too small for the image's kernel. One that
/// has no room for a second kernel beside it will do, until there is an update.
pub fn check(layout: &DiskLayout, facts: &ImageFacts, warnings: &mut Vec<String>) -> Result<()> {
    let boot = layout.partitions.iter().find(|partition| is_boot(&partition.purpose));
    let Some((size, Some(filesystem))) = boot.map(|boot| (boot.size, boot.filesystem.as_deref())) else {
        return Ok(());
    };
    match misfit(size, filesystem, facts) {
        Some(Misfit::Kernel(error)) => return Err(error),
        Some(Misfit::Update(warning)) => warnings.push(warning),
        None => {}
    }
    Ok(())
}

pub fn is_boot(purpose: &Purpose) -> bool {
    matches!(purpose, Purpose::Mount(at) if at.as_str() == "/boot")
}

/// The size of a /boot with room for this many kernels like the image's; nothing where that is not known.
pub fn needs(kernels: u64, filesystem: &str, facts: &ImageFacts) -> Option<Bytes> {
    let kernel = facts.kernel.as_ref()?.size?;
    Some(filesystem::find(filesystem)?.to_hold(Bytes(kernels * kernel.0) + BESIDE_KERNELS))
}

/// What does not fit.
pub enum Misfit {
    /// The image's kernel.
    Kernel(Error),
    /// That of an update, beside it.
    Update(String),
}

/// What does not fit into a /boot of `size`; nothing where the image's kernel is of unknown size.
pub fn misfit(size: Bytes, filesystem: &str, facts: &ImageFacts) -> Option<Misfit> {
    let kernel = facts.kernel.as_ref()?.size?;
    let (one, two) = (needs(1, filesystem, facts)?, needs(2, filesystem, facts)?);
    let hint = format!("give 'part /boot' a --size of {} or more, or leave it out", two.as_mib());
    if size < one {
        let message = format!(
            "/boot is too small: it gets {size}, and takes {one} for the image's kernel and initramfs ({kernel})"
        );
        return Some(Misfit::Kernel(Error::world(Stage::Plan, message).hint(hint)));
    }
    (size < two).then(|| {
        Misfit::Update(format!(
            "/boot gets {size}, which holds the image's kernel and initramfs ({kernel}) but not those of an update \
             beside them: {hint}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts of an image whose kernel and initramfs take `size`.
    fn facts(size: Option<Bytes>) -> ImageFacts {
        let text = include_str!("../../../tests/images/demo.json");
        let mut facts: ImageFacts = serde_json::from_str(text).unwrap();
        facts.kernel.as_mut().unwrap().size = size;
        facts
    }

    #[test]
    fn one_kernel_has_to_fit_and_two_should() {
        let of = |mib, filesystem| match misfit(Bytes::mib(mib), filesystem, &facts(Some(Bytes::mib(64)))) {
            Some(Misfit::Kernel(error)) => format!("{error} {}", error.remedy().unwrap_or_default()),
            Some(Misfit::Update(warning)) => warning,
            None => "fits".to_owned(),
        };
        // 64 + 16 for GRUB, + 16 and a fifteenth for ext4.
        assert_eq!(
            of(102, "ext4"),
            "/boot is too small: it gets 102 MiB, and takes 103 MiB for the image's kernel and initramfs (64 MiB) \
             give 'part /boot' a --size of 171 or more, or leave it out"
        );
        assert!(of(103, "ext4").contains("not those of an update beside them: give 'part /boot' a --size of 171"));
        assert_eq!(of(171, "ext4"), "fits");
        assert_eq!([of(300, "xfs"), of(300, "btrfs")], ["fits", "fits"]);
    }

    #[test]
    fn what_nobody_knows_is_no_reason() {
        assert!(misfit(Bytes::mib(1), "ext4", &facts(None)).is_none());
        assert!(misfit(Bytes::mib(1), "minix", &facts(Some(Bytes::mib(64)))).is_none());
    }
}
