//! Scripts of a kickstart: when each kind runs, what it finds around it, and what becomes of those that
//! fail, hang, or take away what a system needs. Root, no network, a second or two each.

use std::fs;
use std::process::Command;

use crate::support::cli::{Outcome, finish};
use crate::support::disk::MIB;
use crate::support::installed::Installed;
use crate::support::mini_image::{Compression, Layer};
use crate::support::mini_system::mini_system;
use crate::support::site::{Mounted, OccupiedDisk, Site, kickstart};
use crate::support::{need, output};

fn with(more: &str) -> Site {
    let site = Site::with(mini_system());
    site.write("site.ks", &kickstart(more));
    site
}

/// Installs with a /mnt that is empty, as an installer's is.
fn install(site: &Site) -> Outcome {
    let mut command = Command::new(need("unshare", "util-linux"));
    let shell = "mount -t tmpfs tmpfs /mnt && exec \"$0\" \"$@\"";
    command.current_dir(site.dir.path()).env("HOME", site.dir.path()).args(["--mount", "sh", "-c", shell]);
    command.arg(env!("CARGO_BIN_EXE_bootc-ks")).args(["install", "site.ks", "--log", "install.log"]);
    command.args(["--image", "oci:oci:mini", "--disk-image", "disk.img", "--size", "700M"]);
    finish(&mut command)
}

fn system(site: &Site) -> (Mounted, Installed) {
    let mounted = Mounted::partition(&site.path("disk.img"), 1);
    let installed = Installed::find(mounted.path(), "default");
    (mounted, installed)
}

/// Each kind leaves a line where it finds the target.
#[test]
fn every_kind_runs_in_its_turn_with_what_it_looks_for() {
    let site = Site::with(mini_system().layer(Layer::new(Compression::Gzip).file(
        "usr/bin/systemd-tmpfiles",
        0o755,
        b"#!/bin/sh\necho \"$@\" > /var/lib/tmpfiles-was-told\n",
    )));
    let order = site.path("order").display().to_string();
    let script = |header: &str, body: &str| format!("{header}\n{body}\n%end\n");
    let say = |name: &str| format!("echo {name} >> {order}");
    let more = [
        script(
            "%post --nochroot",
            &format!(
                "{}\ntest -d /mnt/sysimage/usr && test -d \"$ANA_INSTALL_PATH/usr\" || exit 9\n\
            cp /run/install/ks.cfg /mnt/sysroot/root/ks-as-seen.cfg\n[ \"$LC_ALL\" = C.UTF-8 ] || exit 8",
                say("post-outside")
            ),
        ),
        script("%pre", &say("pre")),
        script("%onerror", &say("onerror")),
        script(
            "%pre-install --erroronfail --log=pre-install.log",
            &format!(
                "{}\necho told\n\
            test ! -e /mnt/sysroot/usr && test -d /mnt/sysimage || exit 7\n: > /mnt/sysroot/by-pre-install",
                say("pre-install")
            ),
        ),
        script("%traceback", &say("traceback")),
        script(
            "%post --erroronfail",
            "cat() { while read -r line; do echo \"$line\"; done; }\n\
            cat < /var/lib/tmpfiles-was-told > /etc/var-was-made\ncat < /run/install/ks.cfg > /etc/ks-inside",
        ),
    ]
    .concat();
    site.write("site.ks", &kickstart(&more));
    let outcome = install(&site).exits(0);
    assert!(!outcome.stderr.contains(" failed: "), "{outcome}");
    assert_eq!(fs::read_to_string(site.path("order")).unwrap(), "pre\npre-install\npost-outside\n");
    assert_eq!(fs::read_to_string(site.path("pre-install.log")).unwrap(), "told\n");
    let (mounted, system) = system(&site);
    assert!(mounted.path().join("by-pre-install").exists());
    assert_eq!(system.text("/etc/var-was-made"), "--create --prefix=/var\n");
    assert!(system.text("/etc/ks-inside").contains("ostreecontainer --url=registry.example/mini:1"));
    assert!(system.text("/var/roothome/ks-as-seen.cfg").contains("%pre-install"));
    assert!(!std::path::Path::new("/run/install/ks.cfg").exists(), "the script's /run/install outlived it");
}

#[test]
fn a_failure_is_told_by_the_kickstarts_own_script() {
    let more = "%post --erroronfail\nexit 3\n%end\n%onerror\n\
                test -f /mnt/sysroot/etc/passwd && echo with the system > told\n%end\n\
                %onerror --interpreter=/none/such\nx\n%end\n%onerror\nexit 1\n%end\n%traceback\necho no > traced\n%end\n";
    let site = with(more);
    let outcome = install(&site).exits(1).one_error();
    let outcome = outcome.says(&["%post script at site.ks:", "exit code 3", "the %onerror script at site.ks:"]);
    assert_eq!(fs::read_to_string(site.path("told")).unwrap(), "with the system\n");
    assert!(!site.path("traced").exists() && !site.path("disk.img").exists(), "{outcome}");
    // Before the disk is touched as well; and nothing is run where nothing failed, or nothing is installed.
    let disk = OccupiedDisk::make(&site.path("disk"), 700 * MIB);
    let refused = kickstart(&format!("ignoredisk --only-use={}\n%onerror\necho early > early\n%end\n", disk.name()));
    site.write("site.ks", &refused);
    site.run(&["plan", "site.ks", "--image", "oci:oci:mini"]).exits(4);
    assert!(!site.path("early").exists());
    site.install(&["--image", "oci:oci:mini"]).exits(4).one_error();
    assert_eq!(fs::read_to_string(site.path("early")).unwrap(), "early\n");
}

#[test]
fn a_pre_install_script_that_must_not_fail_ends_it() {
    let site = with("%pre-install --erroronfail\nexit 5\n%end\n%post\n: > /etc/never\n%end\n");
    install(&site).exits(1).one_error().says(&["%pre-install script at site.ks:", "exit code 5"]);
    assert!(!site.path("disk.img").exists());
    let site = with("%pre-install\nexit 5\n%end\n");
    install(&site).exits(0).says(&["%pre-install script at site.ks:", "exit code 5"]);
}

#[test]
fn a_script_that_hangs_is_ended() {
    for header in ["%pre", "%pre-install", "%post", "%post --nochroot"] {
        let site = with(&format!(
            "%addon org_bootc_ks\nscript-timeout = 1\n%end\n{header} --erroronfail\nwhile :; do :; done\n%end\n"
        ));
        let code = if header == "%pre" { 3 } else { 1 };
        let name = header.split(' ').next().unwrap();
        install(&site)
            .exits(code)
            .one_error()
            .says(&[&format!("the {name} script at site.ks:"), "it did not end within 1 s, and was ended"]);
    }
}

#[test]
fn writing_where_nothing_can_be_written_is_explained() {
    let site = with("%post --erroronfail\nset -e\n: > /usr/bin/tool\n%end\n");
    install(&site).exits(1).one_error().says(&["Read-only file system", "Containerfile"]);
    let site = with("%post\n: > /usr/bin/tool\n%end\n");
    install(&site).exits(0).says(&["warning: the %post script at site.ks:", "Containerfile"]);
    let fill = "x=0123456789abcdef; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do x=$x$x; done\n\
                while echo \"$x$x$x$x\" >> /var/full; do :; done\nexit 1";
    let site = with(&format!("%post --erroronfail\n{fill}\n%end\n"));
    install(&site).exits(1).one_error().says(&["is full", "make it larger"]);
}

/// Whatever they say of themselves.
#[test]
fn a_script_that_takes_away_what_starts_has_failed() {
    for (header, body, gone) in [
        ("%post --nochroot", "rm -rf \"$ANA_INSTALL_PATH/etc\"", "removed /etc"),
        ("%post --nochroot", "rm /mnt/sysroot/etc/shadow", "removed /etc/shadow"),
        ("%post --nochroot", "rm /mnt/sysroot/boot/loader/entries/*", "removed the system's boot entry"),
    ] {
        let site = with(&format!("{header}\n{body}\ntrue\n%end\n"));
        install(&site).exits(1).one_error().says(&["the %post script at site.ks:", gone]);
    }
}

/// Entries are where a script looks for them, although no boot loader finds them yet.
#[test]
fn a_script_may_change_the_boot_entry() {
    let site = with(
        "%post --nochroot\nfor entry in /mnt/sysroot/boot/loader/entries/*.conf; do\n\
         sed -i 's/site.last=1/site.last=2 from-post=1/' \"$entry\"\ndone\n%end\n",
    );
    install(&site).exits(0);
    let (_mounted, system) = system(&site);
    let kargs = system.kargs(&system.physical.join("boot"));
    assert!(kargs.contains(&"site.last=2".to_owned()) && kargs.contains(&"from-post=1".to_owned()), "{kargs:?}");
    let left = output(Command::new(need("ls", "coreutils")).arg(system.physical.join("boot")));
    let left = String::from_utf8_lossy(&left.stdout).into_owned();
    assert!(!left.contains("loader.bootc-ks"), "{left}");
}
