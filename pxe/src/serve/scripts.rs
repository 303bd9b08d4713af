//! Boot scripts: what firmware, iPXE and GRUB are told. Pure.
//!
//! The kickstart comes as a file of the initramfs, fetched by the boot loader with the token of
//! this boot. It is on no command line, and a machine without a network driver in its initramfs
//! has it all the same.

use std::fmt::Write as _;

/// All that a script which installs has in it.
#[derive(Clone, Debug)]
pub struct Install<'a> {
    /// The machine's name, for its screen.
    pub id: &'a str,
    /// The server: `http://10.0.0.1:8080`.
    pub url: &'a str,
    /// The token of this boot, which opens the kickstart.
    pub token: &'a str,
    /// The token for its reports.
    pub reports: &'a str,
    /// Arguments of the kernel.
    pub kargs: &'a [String],
}

impl Install<'_> {
    fn kargs(&self) -> String {
        format!("{} bootc-ks.report={}/v1/report/{}", self.kargs.join(" "), self.url, self.reports)
    }

    /// For iPXE.
    pub fn ipxe(&self) -> String {
        let Install { id, url, token, .. } = self;
        let mut out = format!("#!ipxe\necho bootc-ks: installing {id}\n");
        // `initrd=`: for kernels that ask iPXE's file system instead of its protocol (UEFI).
        let kernel = format!("kernel {url}/files/vmlinuz initrd=initrd.magic {}", self.kargs());
        let bootif = "BOOTIF=01-${netX/mac:hexhyp}";
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{kernel} {bootif} || goto failed");
        let _ = writeln!(out, "initrd --name initrd.img {url}/files/initrd.img || goto failed");
        // Last, and so the shortest time from the kickstart to the installer.
        let _ = writeln!(out, "initrd --name ks.cfg {url}/ks/{token} /ks.cfg mode=600 || goto failed");
        out += "boot || goto failed\n:failed\necho bootc-ks: the installer could not be loaded\nsleep 20\nexit 1\n";
        out
    }

    /// For GRUB; what it was loaded by is where the files are.
    pub fn grub(&self, mac: Option<&str>) -> String {
        let bootif = mac.map(|mac| format!(" BOOTIF=01-{}", mac.replace(':', "-"))).unwrap_or_default();
        format!(
            "echo 'bootc-ks: installing {}'\n\
             linux /files/vmlinuz {}{bootif}\n\
             if initrd /files/initrd.img /ks/{}/cpio; then boot; fi\n\
             echo 'bootc-ks: the installer could not be loaded'\nsleep 20\nexit\n",
            self.id,
            self.kargs(),
            self.token
        )
    }
}

/// What iPXE boots first: it asks again, and says who asks.
pub fn ipxe_who(url: &str) -> String {
    format!(
        "#!ipxe\nchain {url}/ipxe?mac=${{netX/mac}}&uuid=${{uuid}}&serial=${{serial:uristring}} || \
         chain {url}/ipxe?mac=${{net0/mac}}&uuid=${{uuid}}\n"
    )
}

/// What GRUB reads first: it asks again, and says who asks. A serial number that is more than
/// a word would break the request.
pub fn grub_who() -> String {
    "set uuid=\nset serial=\n\
     smbios --type 1 --get-uuid 8 --set uuid\n\
     smbios --type 1 --get-string 7 --set serial\n\
     if regexp '[^A-Za-z0-9._:/+-]' \"$serial\"; then set serial=; fi\n\
     configfile \"/grub/menu?mac=$net_default_mac&uuid=$uuid&serial=$serial\"\n"
        .to_owned()
}

/// A machine's own disk, for iPXE.
pub fn ipxe_local(why: &str, arch: &str) -> String {
    format!(
        "#!ipxe\necho bootc-ks: {}; booting from its disk\n\
         iseq ${{platform}} efi && goto efi ||\n\
         sanboot --no-describe --drive 0x80 || exit\n\
         :efi\n\
         sanboot --no-describe --drive 0 --filename \\EFI\\BOOT\\{} || exit 1\n",
        plain(why),
        removable(arch)
    )
}

/// A machine's own disk, for GRUB: its removable boot loader, else whatever the firmware does
/// after `exit`.
pub fn grub_local(why: &str, arch: &str) -> String {
    let loader = format!("/EFI/BOOT/{}", removable(arch));
    format!(
        "echo 'bootc-ks: {}; booting from its disk'\n\
         if search --no-floppy --file --set=esp {loader}; then\n  chainloader ($esp){loader} && boot\nfi\nexit\n",
        plain(why)
    )
}

fn removable(arch: &str) -> &'static str {
    match arch {
        "aarch64" => "BOOTAA64.EFI",
        _ => "BOOTX64.EFI",
    }
}

/// A sentence without what means something to iPXE or GRUB.
fn plain(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || " .,:;/()[]_+-".contains(c);
    let text: String = text.chars().map(|c| if word(c) { c } else { '_' }).take(160).collect();
    text.replace("||", "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(kargs: &[String]) -> Install<'_> {
        Install { id: "web-1", url: "http://10.0.0.1:8080", token: "0123", reports: "4567", kargs }
    }

    #[test]
    fn a_kickstart_travels_as_a_file_and_not_on_the_command_line() {
        let kargs = vec!["ip=dhcp".to_owned(), "console=ttyS0".to_owned()];
        let ipxe = install(&kargs).ipxe();
        assert!(ipxe.contains("initrd --name ks.cfg http://10.0.0.1:8080/ks/0123 /ks.cfg mode=600"), "{ipxe}");
        let kernel = ipxe.lines().find(|line| line.starts_with("kernel ")).unwrap();
        assert!(kernel.contains(" ip=dhcp console=ttyS0 bootc-ks.report=http://10.0.0.1:8080/v1/report/4567 BOOTIF="));
        assert!(!kernel.contains("inst.ks") && !kernel.contains("/ks/") && !kernel.contains("0123"), "{kernel}");
        let grub = install(&kargs).grub(Some("52:54:00:00:00:01"));
        assert!(grub.contains("if initrd /files/initrd.img /ks/0123/cpio; then boot; fi\n"), "{grub}");
        assert!(grub.contains(" BOOTIF=01-52-54-00-00-00-01\n"), "{grub}");
    }

    #[test]
    fn a_reason_starts_no_command() {
        let why = "it's \"armed\"\nkernel http://evil || boot && $x ${y} `z`";
        for script in [ipxe_local(why, "x86_64"), grub_local(why, "x86_64")] {
            let line = script.lines().find(|line| line.starts_with("echo ")).unwrap();
            assert!(line.ends_with("from its disk") || line.ends_with("from its disk'"), "{line}");
            for sign in ["||", "&&", "$", "`", "\""] {
                assert!(!line.contains(sign), "{sign} in {line}");
            }
            assert!(!script.contains("\nkernel"), "{script}");
        }
        assert!(grub_local("x", "aarch64").contains("BOOTAA64.EFI"));
    }
}
