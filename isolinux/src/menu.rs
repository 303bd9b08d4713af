//! Boot menus that another tool wrote: the lines in them that load a kernel, and what becomes
//! of their arguments. Texts in, texts out; everything else in a menu stays as it is, to the byte.

use std::ops::Range;

use installer_core::{Error, Result, Stage};

/// A kernel on x86 takes no more.
const LONGEST: usize = 2047;

/// The languages of menus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// isolinux, syslinux, extlinux.
    Syslinux,
    /// GRUB 2.
    Grub,
}

impl Language {
    /// The language of the menu in the file at `path`.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        if name.contains("linux") { Language::Syslinux } else { Language::Grub }
    }

    /// Where in `menu` the arguments of its kernels are.
    pub fn arguments(self, menu: &str) -> Vec<Range<usize>> {
        match self {
            Language::Syslinux => syslinux(menu),
            Language::Grub => grub(menu),
        }
    }
}

/// Whether these are the arguments of an installer, not those of a memory test beside it.
pub(crate) fn is_installer(arguments: &str) -> bool {
    arguments
        .split_whitespace()
        .map(unquoted)
        .any(|word| word.starts_with("inst.stage2=") || word.starts_with("inst.repo="))
}

/// What is to become of the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// Where the installer finds its kickstart (`hd:LABEL=X:/ks.cfg`), in place of any that is
    /// named already.
    pub kickstart: Option<String>,
    /// What goes behind all others.
    pub more: Vec<String>,
    /// Leave the kernels alone that are no installer's.
    pub installers_alone: bool,
}

impl Edit {
    /// The menu with these changes.
    pub fn apply(&self, language: Language, menu: &str) -> Result<String> {
        let mut new = String::with_capacity(menu.len() + 256);
        let mut done = 0;
        for range in language.arguments(menu) {
            let old = &menu[range.clone()];
            if self.installers_alone && !is_installer(old) {
                continue;
            }
            new.push_str(&menu[done..range.start]);
            new.push_str(&self.arguments(language, old)?);
            done = range.end;
        }
        new.push_str(&menu[done..]);
        Ok(new)
    }

    fn arguments(&self, language: Language, old: &str) -> Result<String> {
        // Who came for a rescue wants nothing installed, nor a %pre run.
        let kickstart = self.kickstart.as_ref().filter(|_| !is_rescue(old));
        let kept = |piece: &&str| kickstart.is_none() || !names_kickstart(unquoted(piece.trim()));
        let mut new: String = pieces(language, old).into_iter().filter(kept).collect();
        new.truncate(new.trim_end().len());
        let kickstart = kickstart.map(|place| format!("inst.ks={place}"));
        // Of several the last is taken.
        for word in self.more.iter().chain(&kickstart) {
            if !new.split_whitespace().any(|other| other == word) {
                new.push(' ');
                new.push_str(word);
            }
        }
        if new.len() > LONGEST {
            let message =
                format!("a kernel of its menu would get {} bytes of arguments, and {LONGEST} is the most", new.len());
            return Err(Error::input(Stage::Media, message).hint("put into the kickstart what need not be an argument"));
        }
        Ok(new)
    }
}

/// The words of the arguments, each with the blanks behind it; all of them together are the whole.
fn pieces(language: Language, arguments: &str) -> Vec<&str> {
    if language == Language::Syslinux {
        return arguments.split_inclusive([' ', '\t']).collect();
    }
    let (mut all, mut rest) = (Vec::new(), arguments);
    while !rest.is_empty() {
        let word = word_length(rest);
        let blank = rest[word..].find(|c: char| !c.is_whitespace()).map_or(rest.len(), |at| word + at);
        // What is neither (the end of a line that goes on) is a piece of its own.
        let length = if blank == 0 { rest.chars().next().map_or(1, char::len_utf8) } else { blank };
        let (piece, behind) = rest.split_at(length);
        all.push(piece);
        rest = behind;
    }
    all
}

/// A word of GRUB's language without the quote that it may begin with.
fn unquoted(word: &str) -> &str {
    word.trim_start_matches(['"', '\''])
}

fn is_rescue(arguments: &str) -> bool {
    arguments.split_whitespace().any(|word| word == "rescue" || word == "inst.rescue")
}

/// `ks=` is what it was called before.
fn names_kickstart(word: &str) -> bool {
    word == "inst.ks" || word.starts_with("inst.ks=") || word.starts_with("ks=")
}

/// A volume's label as udev writes it in /dev/disk/by-label, where the installer looks for it.
pub(crate) fn escaped(label: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"#+-.:=@_".contains(&byte);
    label.bytes().map(|byte| if plain(byte) { char::from(byte).into() } else { format!("\\x{byte:02x}") }).collect()
}

/// A line without what ends it, and where it begins.
fn lines(menu: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    menu.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end())
    })
}

/// The first word of a line, and where in it the rest begins.
fn directive(line: &str) -> (&str, usize) {
    let lead = line.len() - line.trim_start().len();
    let word = line[lead..].split([' ', '\t']).next().unwrap_or_default();
    (word, lead + word.len())
}

fn syslinux(menu: &str) -> Vec<Range<usize>> {
    let (mut all, mut entry) = (Vec::new(), Vec::new());
    let mut module = false;
    for (start, line) in lines(menu) {
        let (word, rest) = directive(line);
        let value = line[rest..].trim();
        match word.to_ascii_lowercase().as_str() {
            "label" => {
                all.append(&mut entry);
                module = false;
            }
            // What `append` has is for the program that is started, and that may be a menu.
            "com32" | "config" => {
                module = true;
                entry.clear();
            }
            "kernel" if is_module(value) => {
                module = true;
                entry.clear();
            }
            // A lone dash takes away what is said for all.
            "append" if !module && value != "-" => entry.push(start + rest..start + line.len()),
            _ => {}
        }
    }
    all.append(&mut entry);
    all
}

fn is_module(kernel: &str) -> bool {
    let file = kernel.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    [".c32", ".com", ".cbt", ".0", ".bin", ".bss", ".bs"].iter().any(|end| file.ends_with(end))
}

fn grub(menu: &str) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    for command in commands(menu) {
        // The kernel's path is no argument.
        if let [name, kernel, ..] = &command[..]
            && ["linux", "linuxefi", "linux16"].contains(&&menu[name.clone()])
        {
            all.push(kernel.end..command[command.len() - 1].end);
        }
    }
    all
}

/// What may stand before a command of a GRUB script.
const BEFORE: &[&str] = &["if", "elif", "then", "else", "while", "until", "do", "!"];

/// The words of each command of a GRUB script.
fn commands(script: &str) -> Vec<Vec<Range<usize>>> {
    let (mut all, mut command) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(c) = script[at..].chars().next() {
        let (start, rest) = (at, &script[at..]);
        match c {
            '#' => at += rest.find('\n').unwrap_or(rest.len()),
            '\n' | ';' | '|' | '&' => {
                all.push(std::mem::take(&mut command));
                at += 1;
            }
            _ if rest.starts_with("\\\n") => at += 2,
            _ if c.is_whitespace() => at += c.len_utf8(),
            _ => {
                at += word_length(rest);
                match &script[start..at] {
                    "{" | "}" => all.push(std::mem::take(&mut command)),
                    word if command.is_empty() && BEFORE.contains(&word) => {}
                    _ => command.push(start..at),
                }
            }
        }
    }
    all.push(command);
    all
}

/// The length of the word that a text begins with, its quotes included.
fn word_length(text: &str) -> usize {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (None, '\\') if text[at..].starts_with("\\\n") => return at,
            (None | Some('"'), '\\') => escaped = true,
            (Some(open), _) => quote = quote.filter(|_| c != open),
            (None, '"' | '\'') => quote = Some(c),
            (None, ';' | '|' | '&') => return at,
            (None, _) if c.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISOLINUX: &str = "default vesamenu.c32\r\ntimeout 600\r\nappend  common=1\r\n\r\nlabel linux\r\n  menu label ^Install\r\n  \
        kernel vmlinuz\r\n  append initrd=initrd.img inst.stage2=hd:LABEL=X quiet\r\n\r\nlabel rescue\r\n  kernel vmlinuz\r\n  \
        Append\tinitrd=initrd.img inst.stage2=hd:LABEL=X inst.rescue quiet\r\nlabel local\r\n  localboot 0xffff\r\n  append -\r\n\
        label more\r\n  kernel vesamenu.c32\r\n  append more.cfg\r\nlabel memtest\r\n  append 1\r\n  kernel memtest";
    const GRUB: &str = "set default=\"1\"\n# linux nothing\nmenuentry 'Install' --class fedora {\n\tlinux /images/vmlinuz  \
        inst.stage2=hd:LABEL=A\\x20B inst.ks=cdrom:/old.cfg quiet # ${x}\n\tinitrd /images/initrd.img\n}\nsubmenu 'More' {\n  \
        menuentry 'Rescue' { linuxefi /v inst.stage2=x inst.rescue; initrd /i; }\n  menuentry m {\n    linux16 /memtest\n  }\n}\n\
        menuentry y {\n  linux ($root)/v \"a;b c\" ${more} \\\n    z\n}\n";

    fn found(language: Language, menu: &str) -> Vec<&str> {
        language.arguments(menu).into_iter().map(|range| menu[range].trim()).collect()
    }

    fn edit(kickstart: Option<&str>, more: &[&str], installers_alone: bool) -> Edit {
        let more = more.iter().map(|word| (*word).to_owned()).collect();
        Edit { kickstart: kickstart.map(str::to_owned), more, installers_alone }
    }

    #[test]
    fn files_have_their_language() {
        for (path, language) in [
            ("/isolinux/isolinux.cfg", Language::Syslinux),
            ("boot/EXTLINUX.CONF", Language::Syslinux),
            ("EFI/BOOT/BOOT.conf", Language::Grub),
            ("isolinux/grub.cfg", Language::Grub),
        ] {
            assert_eq!(Language::of(path), language, "{path}");
        }
    }

    #[test]
    fn kernels_are_told_from_menus_and_disks() {
        let installer = "initrd=initrd.img inst.stage2=hd:LABEL=X";
        let [quiet, rescue] = [format!("{installer} quiet"), format!("{installer} inst.rescue quiet")];
        assert_eq!(found(Language::Syslinux, ISOLINUX), ["common=1", &quiet, &rescue, "1"]);
        assert_eq!(
            found(Language::Grub, GRUB),
            [
                "inst.stage2=hd:LABEL=A\\x20B inst.ks=cdrom:/old.cfg quiet",
                "inst.stage2=x inst.rescue",
                "",
                "\"a;b c\" ${more} \\\n    z"
            ]
        );
        for none in [
            "",
            "linux",
            "linux\n",
            "# linux /v a",
            "echo linux /v a",
            "initrd /i",
            "menuentry 'linux /v a' {",
            "\\",
            "\"",
            "{",
        ] {
            assert_eq!(found(Language::Grub, none), [""; 0], "{none}");
        }
        for one in [
            "linux /v a",
            "if x; then linux /v a; fi",
            "x && linux /v a#",
            "{\tlinux\t/v\ta\r\n}",
            "linux /v a # b",
            "linux /v \\\n a",
        ] {
            assert_eq!(found(Language::Grub, one).len(), 1, "{one}");
            assert!(["a", "a#", "\\\n a"].contains(&found(Language::Grub, one)[0]), "{one}");
        }
    }

    #[test]
    fn arguments_go_behind_and_the_rest_stays() {
        let edit = edit(Some("hd:LABEL=A\\x20B:/ks.cfg"), &["console=ttyS0", "quiet"], true);
        let new = edit.apply(Language::Grub, GRUB).unwrap();
        let expected = GRUB
            .replace(" inst.ks=cdrom:/old.cfg quiet #", " quiet console=ttyS0 inst.ks=hd:LABEL=A\\x20B:/ks.cfg #")
            .replace("inst.rescue;", "inst.rescue console=ttyS0 quiet;");
        assert_eq!(new, expected);
        assert_eq!(edit.apply(Language::Grub, &new).unwrap(), new, "twice is as good as once");

        let new = edit.apply(Language::Syslinux, ISOLINUX).unwrap();
        let expected = ISOLINUX
            .replace("X quiet\r", "X quiet console=ttyS0 inst.ks=hd:LABEL=A\\x20B:/ks.cfg\r")
            .replace("inst.rescue quiet\r", "inst.rescue quiet console=ttyS0\r");
        assert_eq!(new, expected);
    }

    #[test]
    fn where_no_kernel_is_an_installers_all_are_meant() {
        let new = edit(None, &["a=1"], false).apply(Language::Syslinux, ISOLINUX).unwrap();
        let expected = ISOLINUX.replace("quiet\r", "quiet a=1\r").replace("common=1\r", "common=1 a=1\r");
        assert_eq!(new, expected.replace("append 1\r", "append 1 a=1\r"));
        let new = edit(Some("cdrom"), &[], false).apply(Language::Grub, "linux /v\nlinux /w ks=x y").unwrap();
        assert_eq!(new, "linux /v inst.ks=cdrom\nlinux /w y inst.ks=cdrom");
        assert!(is_installer("a inst.repo=cdrom") && !is_installer("a xinst.repo=cdrom"));
    }

    #[test]
    fn words_in_quotes_are_one() {
        let old = "linux /v 'inst.stage2=hd:LABEL=A B' inst.ks=\"http://h/a b.ks\" quiet \\\n  z\n";
        let new = edit(Some("cdrom"), &[], true).apply(Language::Grub, old).unwrap();
        assert_eq!(new, "linux /v 'inst.stage2=hd:LABEL=A B' quiet \\\n  z inst.ks=cdrom\n");
        for text in ["", " a  b", "\t\\\n \"a b\"c ", "a\\ b", "\""] {
            assert_eq!(pieces(Language::Grub, text).concat(), text);
        }
    }

    #[test]
    fn a_kernel_takes_no_more_than_it_can() {
        let long = "x".repeat(LONGEST - 2);
        edit(None, &[&long], false).apply(Language::Grub, "linux /v a").unwrap_err();
        let error = edit(None, &[&long], false).apply(Language::Syslinux, "append ab c").unwrap_err();
        assert!(error.to_string().contains("2047 is the most"), "{error}");
        edit(None, &[&long[3..]], false).apply(Language::Grub, "linux /v a").unwrap();
    }

    #[test]
    fn labels_are_written_as_udev_writes_them() {
        assert_eq!(escaped("Fedora-S-dvd-x86_64-42"), "Fedora-S-dvd-x86_64-42");
        assert_eq!(escaped("RHEL-7.9 Server;"), "RHEL-7.9\\x20Server\\x3b");
    }
}
