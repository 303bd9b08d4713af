//! An installation onto partitions that are there: what is named is made anew, what is kept and all else
//! on the disk stays as it is, to the bit. Root, no network, a second or two.

use std::io::Read;
use std::path::Path;
use std::process::Command;

use crate::support::disk::{LoopDevice, MIB, file_sha256, fingerprint, sha256_hex, sparse_file};
use crate::support::installed::Installed;
use crate::support::mini_system::mini_system;
use crate::support::site::{KEY, Mounted, Site};
use crate::support::{need, run};

/// The disk of an old system: its root, its /home, and something that is no file system.
fn old_system(file: &Path) -> LoopDevice {
    sparse_file(file, 900 * MIB);
    let script = "printf 'label: gpt\\n,600MiB,L\\n,64MiB,L\\n,16MiB,L\\n' | \"$0\" --quiet --no-reread \"$1\"";
    run(Command::new("sh").args(["-c", script]).arg(need("sfdisk", "fdisk")).arg(file));
    let disk = LoopDevice::attach(file);
    for (number, label) in [(1, "old-root"), (2, "home")] {
        run(Command::new(need("mkfs.ext4", "e2fsprogs")).args(["-q", "-L", label]).arg(disk.partition(number)));
    }
    std::fs::write(disk.partition(3), "what else is there").unwrap();
    disk
}

/// What says which partitions there are.
fn table(disk: &LoopDevice) -> String {
    let mut bytes = vec![0; MIB as usize];
    std::fs::File::open(disk.path()).and_then(|mut file| file.read_exact(&mut bytes)).unwrap();
    sha256_hex(&bytes)
}

#[test]
fn a_kept_home_is_the_same_to_the_bit() {
    let site = Site::with(mini_system());
    let disk = old_system(&site.path("disk"));
    let node = |number| disk.partition(number).display().to_string();
    let seen = || (table(&disk), file_sha256(&disk.partition(2)), file_sha256(&disk.partition(3)));
    let before = seen();
    let text = |home: &str| {
        format!(
            "lang en_US.UTF-8\nbootloader --location=none\nsshkey --username=root \"{KEY}\"\n\
             part / --fstype=ext4 --onpart={}\n{home}\n\
             ostreecontainer --url=registry.example/mini:1 --no-signature-verification\n",
            node(1)
        )
    };
    // Neither what is not there nor what is of another type costs anything.
    for (home, word) in [
        (format!("part /home --onpart={} --noformat", node(9)), "there is no partition"),
        (format!("part /home --onpart={} --noformat --fstype=xfs", node(2)), "it is ext4, and xfs is asked for"),
    ] {
        let root = fingerprint(&disk.partition(1));
        site.write("site.ks", &text(&home));
        site.install(&["--image", "oci:oci:mini"]).exits(3).one_error().says(&[word]);
        assert_eq!((seen(), fingerprint(&disk.partition(1))), (before.clone(), root));
    }
    // Who names the partitions has given away what is on them: no --yes is needed.
    site.write("site.ks", &text(&format!("part /home --onpart={} --noformat --fsoptions=nodev", node(2))));
    let outcome = site.install(&["--image", "oci:oci:mini"]).exits(0);
    assert!(outcome.stdout.contains(&format!("{}: ext4, 64 MiB", node(2))), "{outcome}");
    assert_eq!(seen(), before, "{outcome}");

    let uuid = run(Command::new(need("blkid", "util-linux"))
        .args(["--probe", "--output", "value", "--match-tag", "UUID"])
        .arg(disk.partition(2)));
    let root = Mounted::node(&disk.partition(1));
    let system = Installed::find(root.path(), "default");
    let fstab = system.text("/etc/fstab");
    assert!(fstab.contains(&format!("UUID={} /var/home ext4 nodev", uuid.trim())), "{fstab}");
}
