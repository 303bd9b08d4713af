//! Whether the running kernel mounts a FAT. It may have registered vfat and yet refuse: its character
//! sets are modules of their own, which an installer environment may lack.

use std::fs::File;
use std::io::Write;

use crate::block::LoopDevice;
use crate::error::{Context, Error, Result, Stage};
use crate::host::{Host, Mount, MountKind, Real, in_private_mounts};

const SECTOR: usize = 512;
/// How many sectors the smallest one has.
const SECTORS: usize = 128;

/// Tries it. Where that itself is not possible the answer is yes: nothing speaks against it.
pub fn mounts() -> bool {
    let panicked = Error::failed(Stage::Plan, "mounting a small FAT stopped by an internal error");
    match in_private_mounts("vfat", Stage::Plan, panicked, attempt) {
        Ok(mounted) => mounted,
        Err(error) => {
            tracing::debug!(%error, "whether vfat can be mounted is not known");
            true
        }
    }
}

fn attempt() -> Result<bool> {
    let doing = "making a small FAT";
    let directory = tempfile::tempdir().doing(Stage::Plan, doing)?;
    let image = directory.path().join("fat");
    File::create(&image).and_then(|mut file| file.write_all(&fat())).doing(Stage::Plan, doing)?;
    let device = LoopDevice::attach(&image)?;
    // Not /mnt, which in many images is a link into a /var that is still empty.
    let target = directory.path().join("mount");
    std::fs::create_dir(&target).doing(Stage::Plan, doing)?;
    let mount = Mount { source: device.path().display().to_string(), target, kind: MountKind::Device("vfat".into()) };
    let mounted = Real.mount(&mount);
    if let Err(error) = &mounted {
        tracing::info!(%error, "this kernel cannot mount vfat");
    } else {
        Real.unmount(&mount.target).doing(Stage::Plan, doing)?;
    }
    device.detach()?;
    Ok(mounted.is_ok())
}

/// An empty file system of the smallest kind.
fn fat() -> Vec<u8> {
    let mut bytes = vec![0; SECTORS * SECTOR];
    let mut put = |at: usize, what: &[u8]| bytes[at..at + what.len()].copy_from_slice(what);
    put(0, b"\xeb\x3c\x90bootc-ks");
    // Bytes in a sector, sectors in a cluster, reserved ones, tables, entries of the root, sectors, medium,
    // sectors of a table.
    put(11, &[0, 2, 1, 1, 0, 1, 16, 0, 128, 0, 0xf8, 1, 0]);
    put(36, b"\x80\0\x29\x01\x02\x03\x04NO NAME    FAT12   ");
    put(510, b"\x55\xaa");
    put(SECTOR, b"\xf8\xff\xff");
    bytes
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn it_is_a_file_system() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().write_all(&fat()).unwrap();
        let output = Command::new("fsck.fat").arg("-n").arg(file.path()).output();
        let output = output.expect("`fsck.fat` is missing: apt-get install dosfstools (or run tools/setup)");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    #[test]
    fn the_kernel_is_asked() {
        assert!(rustix::process::geteuid().is_root(), "this test mounts and needs root");
        let known = std::fs::read_to_string("/proc/filesystems").unwrap().contains("vfat");
        assert!(known || !mounts(), "a kernel without vfat mounts none");
    }
}
