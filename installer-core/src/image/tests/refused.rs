//! What the look refuses, because the import or the deployment would: with exit code 3, naming the
//! layer and the path. What it takes though it is odd.

use super::base::Base;
use super::*;
use crate::error::Kind;

fn base() -> Tar {
    Tar::system()
        .file("usr/lib/modules/6.1/vmlinuz", "kernel")
        .file("usr/lib/modules/6.1/initramfs.img", "x")
        .file("etc/passwd", "root:x:0:0::/root:/bin/sh\n")
        .dir("var")
        .symlink("bin", "usr/bin")
        .symlink("lib", "/usr/lib")
        .symlink("root", "var/roothome")
        .file("usr/bin/sh", "sh")
}

fn look(labels: &str, tars: &[Vec<u8>]) -> Result<ImageFacts> {
    let dir = tempfile::tempdir().unwrap();
    made("amd64", labels, tars).layout(dir.path(), "t");
    resolve(&open_local(&format!("oci:{}", dir.path().display()))?)
}

fn over(upper: Tar) -> Result<ImageFacts> {
    look(BOOTABLE, &[base().done(), upper.done()])
}

#[test]
fn what_cannot_be_imported_or_deployed_is_refused_at_the_look() {
    let modules = |name: &str| format!("usr/lib/modules/6.1/{name}");
    let install = |text: &str| Tar::default().file("usr/lib/bootc/install/0.toml", format!("[install]\n{text}\n"));
    let cases: Vec<(&str, Tar)> = vec![
        ("layer 2 of 2", Tar::default().entry(tar::EntryType::Char, "usr/null", "", b"")),
        ("'var/fifo'", Tar::default().entry(tar::EntryType::Fifo, "var/fifo", "", b"")),
        ("'usr/two'", Tar::default().hardlink("usr/two", "usr/nothing")),
        ("which is a directory", Tar::default().hardlink("usr/two", "usr/bin")),
        ("run-time", Tar::default().hardlink("usr/two", "run/x")),
        ("lies under", Tar::default().symlink("usr/x", "/etc").file("usr/x/f", "y")),
        ("'/var'", Tar::default().symlink("var", "/var")),
        ("'/etc'", Tar::default().symlink("etc", "usr/share/etc")),
        ("'/etc/passwd'", Tar::default().symlink("etc/passwd", "passwd")),
        ("'/etc/shadow'", Tar::default().dir("etc/shadow")),
        ("'/etc/x'", Tar::default().file("usr/etc/y", "").symlink("etc/x", "../usr/etc/x")),
        ("os-release", Tar::default().file("usr/lib/.wh.os-release", "")),
        ("os-release", Tar::default().symlink("usr/lib/os-release", "/dev/zero")),
        ("os-release", Tar::default().file("lib/.wh.os-release", "")),
        ("neither PRETTY_NAME nor ID", Tar::default().file("usr/lib/os-release", "")),
        ("larger than 1 MiB", Tar::default().file("usr/lib/os-release", vec![b'x'; (1 << 20) + 1])),
        ("vmlinuz'", Tar::default().symlink(&modules("vmlinuz"), "/etc/shadow")),
        ("initramfs.img'", Tar::default().symlink(&modules("initramfs.img"), "../x")),
        ("dtb", Tar::default().symlink(&modules("dtb/a.dtb"), "/etc/shadow")),
        ("stateroot", install("stateroot = \"a/b\"")),
        ("stateroot", install("stateroot = \"\"")),
        ("stateroot", install("stateroot = \"../../x\"")),
        ("control character", install("kargs = [\"a\\nb\"]")),
        ("control character", Tar::default().file("usr/lib/bootc/kargs.d/0.toml", "kargs = [\"a\\u0000\"]")),
        ("root file system", install("root-fs-type = \"../x\"")),
    ];
    for (number, (said, upper)) in cases.into_iter().enumerate() {
        let error = match over(upper) {
            Err(error) => error,
            Ok(_) => panic!("case {number} ({said}) was taken"),
        };
        assert_eq!((error.kind(), error.exit_code()), (Kind::World, 3), "case {number}: {error}");
        assert!(error.to_string().contains(said), "case {number} ({said}): {error}");
        assert!(error.remedy().is_some(), "case {number}: {error}");
    }
}

#[test]
fn what_is_odd_and_can_be_installed_is_taken() {
    let fine: Vec<(&str, Tar)> = vec![
        ("through a link", Tar::default().file("bin/tool", "x").file("lib/foo.so", "y")),
        ("to where a link will lead", Tar::default().file("root/.ssh/authorized_keys", "k")),
        ("a hard link below", Tar::default().hardlink("usr/two", "usr/bin/sh")),
        ("and through a link", Tar::default().hardlink("usr/two", "bin/sh")),
        ("a device in /dev", Tar::default().entry(tar::EntryType::Char, "dev/null", "", b"")),
        ("a directory at /var/run", Tar::default().dir("var/run").file("var/run/x", "")),
        ("links in a circle that nothing goes through", Tar::default().symlink("usr/a", "b").symlink("usr/b", "a")),
        ("a name with a newline", Tar::default().file("usr/a\nb", "x")),
        ("a relative os-release", Tar::default().symlink("etc/os-release", "../usr/lib/os-release")),
        ("an absolute one that is not read", Tar::default().symlink("etc/os-release", "/usr/lib/os-release")),
    ];
    for (what, upper) in fine {
        if let Err(error) = over(upper) {
            panic!("{what}: {error}");
        }
    }
    // What lies behind a link is found there.
    let facts = over(Tar::default().file("lib/bootc/kargs.d/1.toml", "kargs = [\"behind\"]")).unwrap();
    assert_eq!(facts.kargs, ["behind"]);
    let facts = look(
        BOOTABLE,
        &[
            base().symlink("conf", "usr/lib/bootc").done(),
            Tar::default().file("conf/kargs.d/1.toml", "kargs = [\"second pass\"]").done(),
        ],
    )
    .unwrap();
    assert_eq!(facts.kargs, ["second pass"]);
}

#[test]
fn an_encapsulated_image_is_whole_or_refused() {
    let of = |base: &Base, upper: Option<Tar>| {
        let lower = base.done();
        let label = format!(r#"{{"ostree.bootable":"1","ostree.final-diffid":"{}"}}"#, Digest::of(&lower));
        look(&label, &[vec![lower], upper.map(Tar::done).into_iter().collect()].concat())
    };
    let base = || Base::default().file("usr/lib/os-release", "ID=b\n").file("usr/lib/modules/1/vmlinuz", "k");
    assert!(of(&base(), None).is_ok());
    for (missing, said) in [("commit", "no commit"), ("dirtree", "dirtree"), ("usr/lib/modules/1/vmlinuz", "vmlinuz")] {
        let error = of(&base().without(missing), None).unwrap_err();
        assert!(error.exit_code() == 3 && error.to_string().contains(said), "{missing}: {error}");
    }
    let label =
        format!(r#"{{"ostree.bootable":"1","ostree.final-diffid":"{}"}}"#, Digest::of(&super::Tar::system().done()));
    assert!(look(&label, &[Tar::system().done()]).unwrap_err().to_string().contains("no commit"));
    let both = Base::default().file("usr/etc/a", "").file("etc/b", "").file("usr/lib/os-release", "ID=b\n");
    assert!(of(&both, None).unwrap_err().to_string().contains("beside /usr/etc"));
    let link = of(&base().link("var", "usr"), None).unwrap_err();
    assert!(link.to_string().contains("'/var'"), "{link}");
    // A layer above: through a link of the base, to an object that is there, and to none.
    let sysroot = "sysroot/ostree/repo/objects/ab";
    assert!(of(&base().link("bin", "usr/bin"), Some(Tar::default().file("bin/x", "x"))).is_ok());
    let none = format!("{sysroot}/{}.file", "c".repeat(62));
    let error = of(&base(), Some(Tar::default().hardlink("usr/x", &none))).unwrap_err();
    assert!(error.to_string().contains("no layer brings the object"), "{error}");
}
