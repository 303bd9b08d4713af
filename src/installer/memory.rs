//! Whether there is memory enough, said before anything is begun: a kernel that runs out of it
//! in the middle kills whatever it finds first, and the reason is not seen.

use installer_core::machine::Memory;
use installer_core::units::Bytes;
use installer_core::{Error, Stage};

/// What an installation takes beside the installer itself, whatever the size of the image: layers
/// on their way to the disk, mkfs, the boot loader's programs. Measured; see docs/netboot.md.
const NEEDED: Bytes = Bytes::mib(160);

/// Refuses a machine that would not see the end of it.
pub fn check() -> Result<(), Error> {
    Memory::now().map_or(Ok(()), enough)
}

fn enough(Memory { total, available }: Memory) -> Result<(), Error> {
    if available >= NEEDED {
        return Ok(());
    }
    let missing = NEEDED.0 - available.0;
    let message = format!(
        "too little memory: of the {total} that the kernel has, {available} are free beside the installer, and an \
         installation takes {NEEDED}"
    );
    let hint = format!(
        "give the machine {} more; inst.nomemcheck tries it all the same",
        Bytes(missing.next_multiple_of(64 << 20))
    );
    Err(Error::world(Stage::Request, message).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        let of = |total: u64, available: u64| Memory { total: Bytes::mib(total), available: Bytes::mib(available) };
        enough(of(1024, 160)).unwrap();
        let error = enough(of(500, 100)).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("of the 500 MiB"), "{error}");
        assert!(error.remedy().unwrap().to_string().contains("64 MiB more"), "{:?}", error.remedy());
    }
}
