//! Whether /dev/kvm really runs a machine. Inside a virtual machine it may exist, and QEMU may start
//! with it, and yet the first guest code hangs or is not understood. So one is tried: a boot sector of
//! a few bytes that ends QEMU by a number.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Firmware and boot sector take a tenth of this where they run at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where the boot sector writes to.
const EXIT_PORT: &str = "isa-debug-exit,iobase=0xf4,iosize=0x04";
/// What it writes.
const VALUE: u8 = 0x31;

/// Goes into protected mode and through an `iret`, as network boot firmware does: what KVM cannot let
/// the processor run it emulates, and this instruction stops it. Then it writes [`VALUE`].
#[rustfmt::skip]
const CODE: [u8; 86] = [
    // 16 bits: cli; ds = 0; lgdt; cr0 |= 1; jump into the 32-bit segment
    0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x66, 0x0f, 0x01, 0x16, 0x50, 0x7c, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0x66, 0xea, 0x1b, 0x7c, 0x00, 0x00, 0x08, 0x00,
    // ds, ss = 16; esp = 0x7c00; pushf; push 8; push the next address; iret
    0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, 0x00, 0x00, 0x9c, 0x6a, 0x08, 0x68, 0x31, 0x7c, 0x00, 0x00, 0xcf,
    // al = VALUE; out 0xf4, al; hlt
    0xb0, 0x31, 0xe6, 0xf4, 0xf4, 0x66, 0x90,
    // the descriptor table: none, code, data
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0x9a, 0xcf, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0x92, 0xcf, 0x00,
    // its size and address
    0x17, 0x00, 0x38, 0x7c, 0x00, 0x00,
];

fn boot_sector() -> [u8; 512] {
    let mut sector = [0; 512];
    sector[..CODE.len()].copy_from_slice(&CODE);
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// Tries it with `qemu`.
pub fn works(qemu: &Path) -> bool {
    if !Path::new("/dev/kvm").exists() {
        return false;
    }
    trial(qemu, "kvm", "host", PATIENCE).unwrap_or_else(|error| {
        tracing::debug!(%error, "trying /dev/kvm");
        false
    })
}

fn trial(qemu: &Path, accelerator: &str, processor: &str, patience: Duration) -> std::io::Result<bool> {
    let mut disk = tempfile::NamedTempFile::new()?;
    disk.write_all(&boot_sector())?;
    let file = disk.path().display().to_string().replace(',', ",,");
    let mut child = Command::new(qemu)
        .args(["-accel", accelerator, "-cpu", processor, "-machine", "pc", "-nodefaults", "-display", "none"])
        .args(["-device", EXIT_PORT, "-drive", &format!("if=ide,format=raw,file={file}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            // The device's rule.
            return Ok(status.code() == Some(i32::from(VALUE) * 2 + 1));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_sector_ends_a_machine_that_runs() {
        let qemu = Path::new("/usr/bin/qemu-system-x86_64");
        assert!(qemu.exists(), "apt-get install qemu-system-x86 (or run tools/setup)");
        // Emulation on a host that is busy takes its time.
        let patience = Duration::from_secs(60);
        assert!(trial(qemu, "tcg", "max", patience).unwrap(), "an emulated machine has not run it");
        assert!(!trial(qemu, "missing", "max", patience).unwrap(), "QEMU without an accelerator has run it");
    }
}
