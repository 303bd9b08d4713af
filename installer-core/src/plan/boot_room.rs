//! Whether /boot holds what starts the system, now and when it is updated. Pure.

use crate::error::{Error, Result, Stage};
use crate::image::ImageFacts;
use crate::storage::filesystem;
use crate::storage::tree::Tree;
use crate::units::Bytes;

/// What else lies in /boot: GRUB with the modules for two kinds of firmware, its font, the entries.
const BESIDE_KERNELS: Bytes = Bytes::mib(16);

/// Refuses a /boot that is a file system of its own and too small for the image's kernel. One that
/// has no room for a second kernel beside it will do, until there is an update.
pub fn check(tree: &Tree, facts: &ImageFacts, warnings: &mut Vec<String>) -> Result<()> {
    let Some(boot) = tree.at("/boot") else { return Ok(()) };
    let too_small = tree.size_of(&boot.device).and_then(|size| too_small(size, &boot.filesystem, facts));
    refuse_or_warn(too_small, warnings)
}

/// The same of a /boot that another program has made and mounted.
pub fn check_onto(free: Bytes, facts: &ImageFacts, warnings: &mut Vec<String>) -> Result<()> {
    refuse_or_warn(mounted_too_small(free, facts), warnings)
}

fn refuse_or_warn(too_small: Option<BootTooSmall>, warnings: &mut Vec<String>) -> Result<()> {
    match too_small {
        Some(BootTooSmall::Kernel(error)) => return Err(error),
        Some(BootTooSmall::Update(warning)) => warnings.push(warning),
        None => {}
    }
    Ok(())
}

/// The size of a /boot with room for this many kernels like the image's; nothing where that is not known.
pub fn needs(kernels: u64, filesystem: &str, facts: &ImageFacts) -> Option<Bytes> {
    let kernel = facts.kernel.as_ref()?.size?;
    Some(filesystem::find(filesystem)?.to_hold(content(kernels, kernel)))
}

fn content(kernels: u64, kernel: Bytes) -> Bytes {
    Bytes(kernels.saturating_mul(kernel.0)) + BESIDE_KERNELS
}

/// [`too_small`] for a /boot that is made already and has this much `free`.
fn mounted_too_small(free: Bytes, facts: &ImageFacts) -> Option<BootTooSmall> {
    let kernel = facts.kernel.as_ref()?.size?;
    let hint = format!("make it larger: two kernels take {}", content(2, kernel));
    if free < content(1, kernel) {
        let message = format!("/boot has {free} free, and the image's kernel and initramfs take {kernel}");
        return Some(BootTooSmall::Kernel(Error::world(Stage::Plan, message).hint(hint)));
    }
    (free < content(2, kernel)).then(|| {
        BootTooSmall::Update(format!(
            "/boot has {free} free: room for the image's kernel and initramfs ({kernel}) but not for those of an \
             update beside them; {hint}"
        ))
    })
}

/// What does not fit.
pub enum BootTooSmall {
    /// The image's kernel.
    Kernel(Error),
    /// That of an update, beside it.
    Update(String),
}

/// What does not fit into a /boot of `size`; nothing where the image's kernel is of unknown size.
pub fn too_small(size: Bytes, filesystem: &str, facts: &ImageFacts) -> Option<BootTooSmall> {
    let kernel = facts.kernel.as_ref()?.size?;
    let (one, two) = (needs(1, filesystem, facts)?, needs(2, filesystem, facts)?);
    let hint = format!("give /boot {} MiB or more, or make no /boot of its own", two.as_mib());
    if size < one {
        let message = format!(
            "/boot is too small: it gets {size}, and takes {one} for the image's kernel and initramfs ({kernel})"
        );
        return Some(BootTooSmall::Kernel(Error::world(Stage::Plan, message).hint(hint)));
    }
    (size < two).then(|| {
        BootTooSmall::Update(format!(
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
        let of = |mib, filesystem| match too_small(Bytes::mib(mib), filesystem, &facts(Some(Bytes::mib(64)))) {
            Some(BootTooSmall::Kernel(error)) => {
                format!("{error} {}", error.remedy().map(ToString::to_string).unwrap_or_default())
            }
            Some(BootTooSmall::Update(warning)) => warning,
            None => "fits".to_owned(),
        };
        // 64 + 16 for GRUB, + 16 and a fifteenth for ext4.
        assert_eq!(
            of(102, "ext4"),
            "/boot is too small: it gets 102 MiB, and takes 103 MiB for the image's kernel and initramfs (64 MiB) \
             give /boot 171 MiB or more, or make no /boot of its own"
        );
        assert!(of(103, "ext4").contains("not those of an update beside them: give /boot 171 MiB"));
        assert_eq!(of(171, "ext4"), "fits");
        assert_eq!([of(300, "xfs"), of(300, "btrfs")], ["fits", "fits"]);
    }

    #[test]
    fn a_boot_that_is_there_needs_the_same() {
        let of = |mib| {
            let mut warnings = Vec::new();
            let outcome = check_onto(Bytes::mib(mib), &facts(Some(Bytes::mib(64))), &mut warnings);
            outcome.map(|()| warnings.len()).map_err(|error| error.to_string())
        };
        assert_eq!(of(79), Err("/boot has 79 MiB free, and the image's kernel and initramfs take 64 MiB".to_owned()));
        assert_eq!([of(80), of(143), of(144)], [Ok(1), Ok(1), Ok(0)]);
    }

    #[test]
    fn no_size_is_too_large_to_be_refused() {
        let huge = facts(Some(Bytes(u64::MAX - 1)));
        assert!(
            ["ext4", "xfs", "btrfs"]
                .iter()
                .all(|fs| { matches!(too_small(Bytes::gib(1 << 20), fs, &huge), Some(BootTooSmall::Kernel(_))) })
        );
    }

    #[test]
    fn an_unknown_size_is_no_reason() {
        assert!(too_small(Bytes::mib(1), "ext4", &facts(None)).is_none());
        assert!(too_small(Bytes::mib(1), "minix", &facts(Some(Bytes::mib(64)))).is_none());
    }
}
