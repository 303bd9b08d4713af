//! Whether there is memory enough, said before anything is begun: a kernel that runs out of it
//! in the middle kills whatever it finds first, and nobody learns why.

use std::fs;

use installer_core::units::Bytes;
use installer_core::{Error, Stage};

/// What an installation takes beside the installer itself, whatever the size of the image: layers
/// on their way to the disk, mkfs, the boot loader's programs. Measured; see docs/netboot.md.
const NEEDED: Bytes = Bytes::mib(160);

/// Refuses a machine that would not see the end of it.
pub fn check() -> Result<(), Error> {
    enough(&fs::read_to_string("/proc/meminfo").unwrap_or_default())
}

fn enough(meminfo: &str) -> Result<(), Error> {
    let (Some(total), Some(available)) = (value(meminfo, "MemTotal"), value(meminfo, "MemAvailable")) else {
        return Ok(());
    };
    if available >= NEEDED {
        return Ok(());
    }
    let missing = NEEDED.0 - available.0;
    let message = format!(
        "too little memory: of the {} that the kernel has, {} are free beside the installer, and an installation takes {}",
        total, available, NEEDED
    );
    let hint = format!(
        "give the machine {} more; inst.nomemcheck tries it all the same",
        Bytes(missing.next_multiple_of(64 << 20))
    );
    Err(Error::world(Stage::Request, message).hint(hint))
}

/// A line of /proc/meminfo, which counts in KiB.
fn value(meminfo: &str, name: &str) -> Option<Bytes> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(Bytes(number << 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        let of = |total: u64, available: u64| {
            format!("MemTotal: {total} kB\nMemFree: 1 kB\nMemAvailable:   {available} kB\n")
        };
        enough(&of(1 << 20, 160 << 10)).unwrap();
        enough("").unwrap();
        let error = enough(&of(500 << 10, 100 << 10)).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.to_string().contains("of the 500 MiB"), "{error}");
        assert!(error.remedy().unwrap().contains("64 MiB more"), "{:?}", error.remedy());
    }
}
