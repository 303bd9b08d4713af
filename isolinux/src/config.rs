//! The menus of isolinux and GRUB: texts with an area for the kernel's arguments and a byte
//! that says whether the medium is whole. The area is a line with the arguments and a comment
//! that fills it up; both boot loaders skip comments.

use installer_core::{Error, Result, Stage};

/// The room for kernel arguments. A kernel takes 2047 bytes on x86; boot loaders put about a
/// hundred of their own in front.
pub(crate) const KARGS_SIZE: usize = 1920;

/// Said by GRUB on a medium that was half changed.
const UNFINISHED: &str = "This medium was being changed when something went wrong. Run: bootc-ks iso reset";
/// Said by GRUB where the initramfs does not go into memory.
const NOT_LOADED: &str = "The installer could not be loaded: too little memory, or the medium cannot be read";
/// The kernel that isolinux looks for there: all that it says is that this one is not to be had.
const NO_KERNEL: &str = "/half-changed--run-bootc-ks-iso-reset";

/// A menu with the places in it that may change.
pub(crate) struct Config {
    /// The text.
    pub text: Vec<u8>,
    /// Where the kernel's arguments begin.
    pub kargs: usize,
    /// Where the `1` is.
    pub ready: usize,
}

/// What both menus start.
pub(crate) struct Boot<'a> {
    /// The volume's label.
    pub volume: &'a str,
    /// Paths of the initramfs archives.
    pub initrds: &'a [&'a str],
    /// The arguments.
    pub kargs: &'a str,
}

impl Boot<'_> {
    /// isolinux.cfg. A second of time for a person to stop it or add an argument.
    pub fn isolinux(&self) -> Result<Config> {
        // Has to come first; without a serial console isolinux would be silent there.
        let serial = serial(self.kargs).unwrap_or_default();
        let before = format!("# bootc-ks, volume {}\n{serial}default ", self.volume);
        let middle = format!(
            "1\nprompt 1\ntimeout 10\nlabel 0\nkernel {NO_KERNEL}\n\
             label 1\nkernel /boot/vmlinuz\ninitrd {}\nappend ",
            self.initrds.join(",")
        );
        self.put_together(&before, &middle, "")
    }

    /// grub.cfg.
    pub fn grub(&self) -> Result<Config> {
        let before = format!(
            "# bootc-ks, volume {0}\nsearch --no-floppy --set=root --label {0}\nset timeout=1\nset ready=",
            self.volume
        );
        let middle = format!(
            "1\nif [ \"$ready\" != 1 ]; then\n  echo \"{UNFINISHED}\"\n  sleep 3600\n  halt\nfi\n\
             menuentry \"Install\" {{\n  linux /boot/vmlinuz "
        );
        // At its end an entry would start a kernel that has no initramfs.
        let after = format!(
            "  if initrd {}; then\n    boot\n  fi\n  echo \"{NOT_LOADED}\"\n  sleep 3600\n  halt\n}}\n",
            self.initrds.join(" ")
        );
        self.put_together(&before, &middle, &after)
    }

    fn put_together(&self, before: &str, middle: &str, after: &str) -> Result<Config> {
        let mut text = [before, middle].concat().into_bytes();
        let kargs = text.len();
        text.extend(kargs_area(self.kargs)?);
        text.extend_from_slice(after.as_bytes());
        Ok(Config { text, kargs, ready: before.len() })
    }
}

/// grub.cfg beside a boot loader that looks in its own directory and nowhere else.
pub(crate) fn grub_beside(volume: &str) -> String {
    format!("search --no-floppy --set=root --label {volume}\nconfigfile ($root)/boot/grub/grub.cfg\n")
}

/// isolinux' directive for the last serial console among the kernel's arguments.
fn serial(kargs: &str) -> Option<String> {
    let console = kargs.split(' ').rev().find_map(|karg| karg.strip_prefix("console=ttyS"))?;
    let (port, speed) = console.split_once(',').unwrap_or((console, ""));
    let digits: String = speed.chars().take_while(char::is_ascii_digit).collect();
    let port: u8 = port.parse().ok().filter(|port| *port < 4)?;
    Some(format!("serial {port} {}\n", if digits.is_empty() { "9600" } else { &digits }))
}

/// The bytes of an area with these arguments.
pub(crate) fn kargs_area(kargs: &str) -> Result<Vec<u8>> {
    let Some(room) = KARGS_SIZE.checked_sub(kargs.len() + 1) else {
        let message = format!("the kernel arguments take {} bytes, and {} is the most", kargs.len(), KARGS_SIZE - 1);
        return Err(Error::input(Stage::Media, message).hint("put into the kickstart what need not be an argument"));
    };
    let mut area = format!("{kargs}\n").into_bytes();
    area.resize(KARGS_SIZE, b'#');
    if room > 0 {
        area[KARGS_SIZE - 1] = b'\n';
    }
    Ok(area)
}

/// The arguments in an area; nothing if it is none, or was not written to its end.
pub(crate) fn read_kargs_area(area: &[u8]) -> Option<&str> {
    let end = area.iter().position(|byte| *byte == b'\n')?;
    let kargs = std::str::from_utf8(&area[..end]).ok()?;
    (kargs_area(kargs).ok()?.as_slice() == area).then_some(kargs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: Boot<'_> = Boot { volume: "BOOTC_KS_1", initrds: &["/a", "/b"], kargs: "x console=ttyS1,57600n8 y" };

    #[test]
    fn an_area_is_read_back_and_nothing_else_is() {
        for kargs in ["a", "a b=c", &"x".repeat(KARGS_SIZE - 2), &"x".repeat(KARGS_SIZE - 1)] {
            let area = kargs_area(kargs).unwrap();
            assert_eq!((area.len(), read_kargs_area(&area)), (KARGS_SIZE, Some(kargs)));
            assert_eq!(area.last(), Some(&b'\n'));
        }
        let error = kargs_area(&"x".repeat(KARGS_SIZE)).unwrap_err();
        assert!(error.to_string().contains("1919 is the most"), "{error}");
        let mut half = kargs_area("a b").unwrap();
        half[100] = b'x';
        assert_eq!(read_kargs_area(&half), None);
        assert_eq!(read_kargs_area(&[0; KARGS_SIZE]), None);
    }

    #[test]
    fn both_menus_have_their_areas_where_they_say() {
        for config in [BOOT.isolinux().unwrap(), BOOT.grub().unwrap()] {
            assert_eq!(config.text[config.ready], b'1');
            let area = &config.text[config.kargs..config.kargs + KARGS_SIZE];
            assert_eq!(read_kargs_area(area), Some(BOOT.kargs));
        }
        let isolinux = String::from_utf8(BOOT.isolinux().unwrap().text).unwrap();
        assert!(isolinux.starts_with("# bootc-ks, volume BOOTC_KS_1\nserial 1 57600\ndefault 1\n"), "{isolinux}");
        assert!(isolinux.contains("\ninitrd /a,/b\nappend x console"), "{isolinux}");
        let grub = String::from_utf8(BOOT.grub().unwrap().text).unwrap();
        assert!(
            grub.contains("--label BOOTC_KS_1\n") && grub.contains("#\n  if initrd /a /b; then\n    boot\n"),
            "{grub}"
        );
    }

    #[test]
    fn serial_consoles_are_the_arguments_business() {
        assert_eq!(serial("a console=tty0 b"), None);
        assert_eq!(serial("console=ttyS0 console=tty0").unwrap(), "serial 0 9600\n");
        assert_eq!(serial("console=ttyS0,115200 console=ttyS9"), None);
    }
}
