//! A static tree for servers that people run already: what iPXE, GRUB and pxelinux read, the
//! environment, and examples for DHCP and HTTP servers. It knows no states: who is offered it
//! is decided by the DHCP server.

mod place;

use std::fs;
use std::path::{Path, PathBuf};

use installer_core::error::Context as _;
use installer_core::{Error, Result, Stage};

use crate::environment::Environment;
use crate::kargs;
use place::Place;
pub use place::Url;

/// What the installer is told of its kickstart.
#[derive(Clone, Debug)]
pub enum Kickstart {
    /// Its text, which becomes a file of the tree.
    Text(String),
    /// Where it is.
    Url(String),
}

/// What the firmware loads, where the environment has it.
const SHIM: &str = "shimx64.efi";
/// What that loads, or the firmware itself.
const GRUB: &str = "grubx64.efi";

/// A tree to be written.
#[derive(Debug)]
pub struct Tree<'a> {
    /// The installer environment.
    pub environment: &'a Environment,
    /// Where the tree will be reached.
    pub url: Url,
    /// The kickstart.
    pub kickstart: Kickstart,
}

impl Tree<'_> {
    /// Writes it, and returns the names of its files.
    pub fn write(&self, output: &Path) -> Result<Vec<String>> {
        let kargs = self.kargs()?;
        let mut place = Place::open(output)?;
        let absolute = fs::canonicalize(output).doing(Stage::Media, format!("looking at {}", output.display()))?;
        for (name, text) in self.scripts(&kargs) {
            place.text(name, &text)?;
        }
        for (name, text) in self.examples(&absolute)? {
            place.text(name, &text)?;
        }
        if let Kickstart::Text(text) = &self.kickstart {
            place.text("ks.cfg", text)?;
        }
        place.file("vmlinuz", &self.environment.kernel())?;
        place.file("initrd.img", &self.environment.initrd())?;
        for name in [SHIM, GRUB] {
            let loader: PathBuf = self.environment.efi().join(name);
            if loader.is_file() {
                place.file(name, &loader)?;
            }
        }
        place.finish()
    }

    fn kargs(&self) -> Result<String> {
        let kickstart = match &self.kickstart {
            Kickstart::Text(_) => format!("inst.ks={}/ks.cfg", self.url),
            Kickstart::Url(url) => format!("inst.ks={url}"),
        };
        let all = kargs::network(&[self.environment.kargs(), &[kickstart]]);
        all.iter().try_for_each(|karg| kargs::check(karg))?;
        Ok(all.join(" "))
    }

    fn scripts(&self, kargs: &str) -> Vec<(&'static str, String)> {
        let url = &self.url;
        let ipxe = format!(
            "#!ipxe\nkernel {url}/vmlinuz initrd=initrd.magic {kargs} BOOTIF=01-${{netX/mac:hexhyp}} || goto failed\n\
             initrd --name initrd.img {url}/initrd.img || goto failed\nboot || goto failed\n\
             :failed\necho The installer could not be loaded\nsleep 20\nexit 1\n"
        );
        let files = url.grub();
        let grub = format!(
            "set timeout=3\nmenuentry 'Install' {{\n\
             \x20 regexp --set=1:m1 --set=2:m2 --set=3:m3 --set=4:m4 --set=5:m5 --set=6:m6 \
             '^(..):(..):(..):(..):(..):(..)' \"$net_default_mac\"\n\
             \x20 linux {files}/vmlinuz {kargs} BOOTIF=01-$m1-$m2-$m3-$m4-$m5-$m6\n\
             \x20 if initrd {files}/initrd.img; then boot; fi\n\
             \x20 echo 'The installer could not be loaded'\n  sleep 20\n  exit\n}}\nmenuentry 'Leave' {{\n  exit\n}}\n"
        );
        let pxelinux = format!(
            "DEFAULT install\nPROMPT 0\nLABEL install\n  KERNEL {url}/vmlinuz\n  INITRD {url}/initrd.img\n\
             \x20 IPAPPEND 2\n  APPEND {kargs}\n"
        );
        vec![
            ("boot.ipxe", ipxe.clone()),
            // iPXE looks for this one beside itself.
            ("autoexec.ipxe", ipxe),
            ("grub/grub.cfg", grub.clone()),
            // The GRUB of Fedora and RHEL looks beside itself.
            ("grub.cfg", grub),
            ("pxelinux.cfg/default", pxelinux),
        ]
    }

    fn examples(&self, tree: &Path) -> Result<Vec<(&'static str, String)>> {
        let path = tree.to_str().filter(|path| !path.chars().any(|c| c.is_whitespace() || "\"'{};#$\\".contains(c)));
        let path = path.ok_or_else(|| {
            Error::input(Stage::Media, format!("{} cannot be written into configuration files", tree.display()))
                .hint("give -o a directory without spaces and quotes")
        })?;
        let has = |name: &str| self.environment.efi().join(name).is_file();
        let (loader, is) = match () {
            () if has(SHIM) => (SHIM, "shim, which loads the GRUB beside it, made for networks"),
            () if has(GRUB) => (GRUB, "a GRUB that is made for networks"),
            // The image brings none; iPXE reads autoexec.ipxe beside itself.
            () => ("ipxe.efi", "the image brings no loader, so copy ipxe.efi (of iPXE) into the tree"),
        };
        let fill = |text: &str| {
            self.url.fill(text).replace("@TREE@", path).replace("@LOADER@", loader).replace("@LOADER_IS@", is)
        };
        Ok(vec![
            ("examples/dnsmasq-full.conf", fill(include_str!("dnsmasq-full.conf"))),
            ("examples/dnsmasq-proxy.conf", fill(include_str!("dnsmasq-proxy.conf"))),
            ("examples/kea-dhcp4.json", fill(include_str!("kea-dhcp4.json"))),
            ("examples/nginx.conf", fill(include_str!("nginx.conf"))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::made_up;

    fn write(url: &str, kickstart: Kickstart, output: &Path) -> Result<Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        made_up(dir.path());
        fs::write(dir.path().join("efi/shimx64.efi"), "shim").unwrap();
        let environment = Environment::open(dir.path()).unwrap();
        Tree { environment: &environment, url: Url::parse(url)?, kickstart }.write(output)
    }

    #[test]
    fn every_boot_loader_finds_its_files_under_the_address() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        let kickstart = Kickstart::Text("autopart\n".to_owned());
        let names = write("http://10.0.0.1:8080/boot/ks/", kickstart.clone(), dir.path()).unwrap();
        assert!(names.contains(&"shimx64.efi".to_owned()) && !names.contains(&"grubx64.efi".to_owned()));
        for (name, part) in [
            ("boot.ipxe", "kernel http://10.0.0.1:8080/boot/ks/vmlinuz "),
            ("boot.ipxe", " inst.ks=http://10.0.0.1:8080/boot/ks/ks.cfg BOOTIF="),
            (
                "grub/grub.cfg",
                "linux (http,10.0.0.1:8080)/boot/ks/vmlinuz initramfs_options=size=90% ip=dhcp rd.neednet=1 ",
            ),
            ("pxelinux.cfg/default", "KERNEL http://10.0.0.1:8080/boot/ks/vmlinuz\n"),
            ("examples/dnsmasq-full.conf", "dhcp-range=10.0.0.100,10.0.0.199,12h"),
            ("examples/nginx.conf", "listen 8080;"),
            ("ks.cfg", "autopart"),
            ("initrd.img", "initrd"),
        ] {
            assert!(read(name).contains(part), "no `{part}` in {name}:\n{}", read(name));
        }
        for name in &names {
            assert!(!read(name).contains('@'), "something is left in {name}");
        }
        assert_eq!(read("autoexec.ipxe"), read("boot.ipxe"));
        write("http://10.0.0.1", kickstart, dir.path()).expect("a tree of ours is written again");
        assert!(read("boot.ipxe").contains("kernel http://10.0.0.1/vmlinuz "));
    }

    #[test]
    fn what_belongs_to_others_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let kickstart = Kickstart::Url("http://10.0.0.1/x.ks".to_owned());
        fs::write(dir.path().join("thesis.txt"), "x").unwrap();
        let error = write("http://10.0.0.1", kickstart.clone(), dir.path()).unwrap_err();
        assert!(error.exit_code() == 4 && error.to_string().contains("not empty"), "{error}");
        fs::remove_file(dir.path().join("thesis.txt")).unwrap();
        write("http://10.0.0.1", kickstart.clone(), dir.path()).unwrap();
        // A link that was put there is not followed.
        let outside = tempfile::tempdir().unwrap();
        fs::remove_dir_all(dir.path().join("grub")).unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("grub")).unwrap();
        let error = write("http://10.0.0.1", kickstart, dir.path()).unwrap_err();
        assert!(error.to_string().contains("grub is a link"), "{error}");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_address_cannot_bring_commands() {
        let dir = tempfile::tempdir().unwrap();
        for bad in [
            "https://x",
            "ftp://x",
            "x",
            "http://",
            "http://x/a b",
            "http://x/$a",
            "http://u@x",
            "http://x/?q",
            "http://x/a'b",
        ] {
            let kickstart = Kickstart::Url("http://10.0.0.1/x.ks".to_owned());
            assert!(write(bad, kickstart, &dir.path().join("out")).is_err(), "{bad}");
        }
        let kickstart = Kickstart::Url("http://x/a b".to_owned());
        assert!(write("http://x", kickstart, &dir.path().join("out")).is_err());
    }
}
