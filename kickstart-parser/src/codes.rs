//! Every diagnostic code: what it is called and what it means.
//!
//! The letter says who speaks: `E` the language itself, `W` the language
//! about something that works but should not be relied on, `U` what is
//! kickstart but not supported here, `L` the lints that look at several
//! commands together, `V` what values mean to the system that is installed
//! ([`crate::values`]). A code keeps its meaning for ever; numbers of codes
//! that are gone are not used again.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Most likely not what was meant; does not stop anything.
    Warning,
    /// The kickstart cannot be used like this.
    Error,
}

impl Severity {
    /// The word for it: `error`, `warning` or `info`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kind of diagnostic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// The code, such as `E101`.
    pub id: &'static str,
    /// How bad a finding of this kind is.
    pub severity: Severity,
    /// A few words.
    pub title: &'static str,
    /// A sentence or two for the documentation.
    pub explanation: &'static str,
}

impl Code {
    /// Whether an installation goes on in spite of a finding of this kind that a comment allows.
    /// Errors stay in its way, but for the one that is a guess: the image may bring the user along.
    pub fn installs_if_allowed(&self) -> bool {
        self.severity != Severity::Error || self.id == UNKNOWN_USER.id
    }
}

macro_rules! codes {
    ($($name:ident = $id:literal $severity:ident $title:literal, $explanation:literal;)*) => {
        $(
            #[doc = concat!("`", $id, "`: ", $title, ".")]
            pub const $name: Code = Code {
                id: $id,
                severity: Severity::$severity,
                title: $title,
                explanation: $explanation,
            };
        )*
        /// All codes, in the order of their numbers.
        pub const ALL: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    UNREADABLE_FILE = "E000" Error "file not readable",
        "The kickstart itself could not be read, or is no UTF-8 text.";
    UNCLOSED_QUOTE = "E001" Error "unclosed quote",
        "A quote has no counterpart on the same line. Quotes do not span lines.";
    LINE_CONTINUATION = "E002" Error "no line continuation",
        "A line ends in a backslash. Kickstart has no continuation lines: a command is one line, however long.";
    UNKNOWN_SECTION = "E003" Error "unknown section",
        "A line begins with a percent sign and a word that is no kickstart section.";
    UNFINISHED_SECTION = "E004" Error "section without %end",
        "A section is still open where another one begins or where the file ends.";
    STRAY_END = "E005" Error "%end without a section",
        "There is a %end but no section is open. A script that prints a line %end, in a here-document for instance, ends its own section early.";
    INCLUDE_WITHOUT_FILE = "E006" Error "%include without a file",
        "%include needs the name of a file.";
    INCLUDE_FAILED = "E007" Error "include not readable",
        "The included file could not be read.";
    INCLUDE_CYCLE = "E008" Error "include cycle",
        "A file includes itself, directly or through other files.";
    TOO_MANY_INCLUDES = "E009" Error "too many includes",
        "Includes are nested too deeply, or there are too many of them.";
    TOO_LARGE = "E010" Error "text too large",
        "The kickstart, together with what it includes, is larger than any kickstart should be.";
    EMPTY_COMMAND = "E011" Error "empty command",
        "The first word of the line is an empty pair of quotes.";
    EMPTY_CERTIFICATE = "E012" Error "empty certificate",
        "The section %certificate has nothing in it.";
    KSAPPEND_FAILED = "E013" Error "%ksappend not readable",
        "The file that %ksappend names could not be read. It is pasted in before anything else is looked at, so nothing can be said without it.";
    NUL_BYTE = "E014" Error "NUL byte",
        "There is a NUL byte in the text. No tool that reads kickstart files expects one: the file is damaged, or is no text.";
    TEMPLATE = "E015" Error "unfilled template",
        "The line is meaningless because it holds the marks of a template. Fill the template in first, and use what comes out.";
    UNKNOWN_COMMAND = "E101" Error "unknown command",
        "The first word of the line is no kickstart command of any version.";
    COMMAND_NOT_YET = "E102" Error "command not in this syntax",
        "The command exists, but not in the syntax version that the file is read as.";
    COMMAND_REMOVED = "E103" Error "command removed",
        "The command existed, but was removed from the syntax version that the file is read as.";
    UNKNOWN_OPTION = "E201" Error "unknown option",
        "The command has no such option in any version.";
    OPTION_NOT_YET = "E202" Error "option not in this syntax",
        "The option exists, but not in the syntax version that the file is read as.";
    OPTION_REMOVED = "E203" Error "option removed",
        "The option existed, but was removed from the syntax version that the file is read as.";
    AMBIGUOUS_OPTION = "E204" Error "ambiguous option",
        "Options may be abbreviated, but this abbreviation fits more than one.";
    MISSING_VALUE = "E205" Error "option without a value",
        "The option needs a value. One that begins with a dash must be written with an equals sign.";
    UNWANTED_VALUE = "E206" Error "option takes no value",
        "The option is a switch; it takes no value.";
    REQUIRED_OPTION = "E207" Error "required option missing",
        "The command does nothing without this option.";
    REQUIRED_ARGUMENT = "E208" Error "required argument missing",
        "The command needs an argument that is no option.";
    UNEXPECTED_ARGUMENT = "E209" Error "unexpected argument",
        "There is an argument more than the command takes. A value with blanks in it needs quotes.";
    NOT_A_NUMBER = "E210" Error "not a whole number",
        "The option takes a whole number.";
    NOT_A_BOOLEAN = "E211" Error "not a boolean",
        "The option takes on, yes, true or 1, or off, no, false or 0.";
    INVALID_CHOICE = "E212" Error "not one of the choices",
        "The option takes one of a few words, and this is none of them.";
    OUT_OF_RANGE = "E213" Error "number out of range",
        "The number is negative or too large here.";
    OPTIONS_EXCLUDE = "E214" Error "options exclude each other",
        "These options cannot be used together.";
    OPTION_NEEDS_OTHER = "E215" Error "option needs another one",
        "The option works only together with another one.";
    INVALID_VALUE = "E216" Error "invalid value",
        "The value does not have the form that the option needs.";
    NAME_TAKEN = "E217" Error "name already taken",
        "An earlier line has used the name, and it can be used only once.";
    BYTE_ORDER_MARK = "W001" Warning "byte order mark",
        "The file begins with a byte order mark, which other kickstart tools take for part of the first command.";
    UNUSUAL_LINE_END = "W002" Warning "unusual line end",
        "A form feed, vertical tab or Unicode separator ends a line in kickstart, though an editor does not show it as one.";
    UNKNOWN_VERSION = "W003" Warning "unknown #version",
        "The file asks for a syntax version that is not supported; it is read as the default one.";
    INCLUDE_DEFERRED = "W004" Warning "include that is not there yet",
        "The included file does not exist here, but a %pre script may make it, or it is part of an installation medium. It is checked when the scripts have run; if it is missing then, that is an error.";
    EMPTY_SCRIPT = "W005" Warning "empty script",
        "The script section has no command in it.";
    NO_LINE_END = "W006" Warning "included text without a line end",
        "The last line of an included file has no line end. In a script, the next line is appended to it.";
    KSAPPEND_IN_BODY = "W007" Warning "%ksappend in a section",
        "%ksappend is looked for in the whole file, inside scripts too, and pastes a file there. If a script is meant to have such a line, it must look different.";
    KSAPPEND_IGNORED = "W008" Warning "%ksappend ignored",
        "%ksappend works in the kickstart itself only. In a file that is included or pasted it is passed over in silence by other tools.";
    PLACEHOLDER = "W009" Warning "placeholder as a value",
        "A value looks like the placeholder of a template that has not been filled in. It is taken as it is.";
    COMMENT_IN_WORD = "W010" Warning "comment behind a word",
        "A number sign begins a comment wherever it stands outside quotes, in the middle of a word too. What stands behind it is not part of the value.";
    ODD_CHARACTER = "W011" Warning "unusual character",
        "A character looks like a blank, a dash or a quote, or is not seen at all, but is part of the word. Such characters come out of word processors and web pages.";
    WINDOWS_LINE_ENDS = "W012" Warning "Windows line ends in a script",
        "The lines of a script end as they do on Windows. They are taken without the carriage return, which a shell takes for part of the last word; other installers run them as they are.";
    COMMAND_DEPRECATED = "W101" Warning "command deprecated",
        "The command is deprecated in the syntax version that the file is read as.";
    OPTION_DEPRECATED = "W201" Warning "option deprecated",
        "The option is deprecated in the syntax version that the file is read as.";
    ALLOW_UNKNOWN = "W402" Warning "allow comment not understood",
        "A comment addresses bootc-ks, but it is none of the forms that are understood, or it names a code that there is not.";
    ALLOW_UNUSED = "W403" Warning "allow comment without effect",
        "A comment allows a code that is not found there.";
    REPEATED = "L001" Warning "command given twice",
        "The command sets one thing and is given more than once. Options of the later line win; values that it does not give stay those of the earlier one.";
    CONFLICT = "L002" Error "commands exclude each other",
        "These commands cannot be used together.";
    UNKNOWN_USER = "L003" Error "key for a user that no command creates",
        "An sshkey names a user that is neither root nor created by a user command.";
    NO_ROOT = "L004" Error "no root file system",
        "Partitions are laid out by hand, but none of them is mounted at /.";
    NO_IMAGE = "L005" Warning "no image",
        "There is neither an ostreecontainer nor a bootc command, so the file does not say what to install.";
    NO_LOGIN = "L006" Warning "no login is possible",
        "No account has a password or a key, so no login to the installed system is possible unless the image provides for it.";
    SAME_MOUNT_POINT = "L007" Error "mount point used twice",
        "Two partitions are to be mounted at the same place.";
    SAME_USER = "L008" Warning "user created twice",
        "Two user commands have the same name.";
    LAST_WINS = "L009" Warning "options contradict each other",
        "Of these options only the last one counts.";
    NO_SIZE = "L010" Warning "partition without a size",
        "The partition has no size, and nothing else says how large it becomes.";
    ONE_COUNTS = "L011" Warning "only one of the commands counts",
        "These commands say the same thing in different ways. The language takes them in this order, but one of them is without effect in the end.";
    DEFINED_TWICE = "L012" Warning "defined twice",
        "Two lines define something under the same name.";
    EMPTY_VALUE = "L013" Error "empty value",
        "The option must name something and is empty. The language takes it, but nothing can be done with it.";
    UNKNOWN_PART = "L014" Error "part of a device that no command makes",
        "A volume group, array or pool is made of a part (pv.…, raid.…, btrfs.…, stratis.…) that no line makes. Anaconda finds that out when it partitions the disks, and names no line.";
    UNUSED_PART = "L015" Warning "part that nothing uses",
        "A part of a larger device (pv.…, raid.…, btrfs.…, stratis.…) is made, but no device uses it: the space is lost.";
    PART_USED_TWICE = "L016" Error "part of two devices",
        "Two devices are made of the same part.";
    UNKNOWN_GROUP = "L017" Warning "volume group or pool that no command makes",
        "A logical volume is to be made in a volume group or thin pool that no line makes. Unless it is on the disks already, the installation fails there.";
    BAD_MOUNT_POINT = "L018" Error "no mount point",
        "What the space is for is neither a mount point, which begins with a slash, nor swap, biosboot or the like, nor a part of a larger device.";
    PART_OF_ROOT = "L019" Error "directory of the root file system",
        "The directory has to be part of the root file system and cannot have a file system of its own.";
    TOO_SMALL = "L020" Warning "little space",
        "The file system is smaller than what Anaconda recommends for this mount point.";
    TOO_FEW_MEMBERS = "L021" Error "too few members",
        "An array of this level needs more members, the spares not counted.";
    KEPT_WITHOUT_NAME = "L022" Error "nothing says what is kept",
        "A partition is to be kept as it is, but only --onpart can say which.";
    NOT_ENCRYPTED = "L023" Warning "passphrase without encryption",
        "A passphrase is given for something that is not encrypted.";
    NO_PASSPHRASE = "L024" Warning "encryption without a passphrase",
        "Something is to be encrypted, but neither this line nor one before it has a passphrase. An installer that can ask asks; one that cannot fails.";
    GRUB_PASSWORD = "L025" Error "password that GRUB cannot read",
        "The password of the boot loader is said to be a hash, but is none of GRUB's, which begin with grub.pbkdf2. and are all that Anaconda takes.";
    NO_MODE = "L026" Warning "SELinux mode missing",
        "An selinux command says nothing without an option.";
    NO_ADDRESS = "L027" Warning "repository without an address",
        "A repo command has a name but no address: it can only mean a repository that the installer knows already.";
    MANY_SOURCES = "L028" Warning "more than one installation source",
        "Several commands say where packages come from. Only one of them counts.";
    SAME_NUMBER = "L029" Error "number of a user or group taken twice",
        "Two users, or two groups, are to have the same number. The second one cannot be made, which fails the installation.";
    ROOT_USER = "L030" Warning "root made as a user",
        "A user command has the name root. That account is there already.";
    NO_PARTITIONS = "L031" Warning "nothing about partitions",
        "The file says what to install, but not how to use the disks.";
    WOULD_ASK = "L032" Error "question in an installation that asks none",
        "The installation is not to ask anything, but something is missing that only a question could answer.";
    NO_ADMIN = "L033" Warning "no administrator",
        "The installation is not to ask anything, and no account is given that may administer the system.";
    PACKAGES_IN_POST = "L034" Warning "packages installed beside an image",
        "A %post script changes packages of a system that comes out of an image. The change does not outlive the next update.";
    NO_KEY = "V001" Error "no public key",
        "What stands where a public key belongs is none: it is empty, an abbreviation, the name of a file, a private key, or does not say of which kind it is.";
    BROKEN_KEY = "V002" Warning "key that opens nothing",
        "The key is cut short or damaged, or of a kind that no server takes any more. `bootc-ks check` takes this for an error, since it may mean that no login is possible.";
    NO_HASH = "V003" Error "no password hash",
        "The password is said to be a hash, but is of no scheme of crypt(3), or has a character that no hash can have.";
    BROKEN_HASH = "V004" Warning "hash that fits no password",
        "The hash has not the length of its scheme, or a hash is taken for the password itself. `bootc-ks check` takes this for an error, since it may mean that no login is possible.";
    UNKNOWN_NAME = "V005" Warning "unknown name",
        "The system that is installed most likely knows no locale, layout, time zone, group or shell of this name. Without the facts of the image it is held against a list of what is usual.";
    HOME_IN_SYSTEM = "V006" Error "home directory in the system",
        "The home directory of a user is a directory of the system, or is in one. The account would get what belongs to the system, or lose its files with the next start or update.";
    NUMBER_OF_ROOT = "V007" Error "number of root",
        "A user or group with the number 0 is root by another name.";
    IMPOSSIBLE_NAME = "V008" Error "name that cannot be",
        "A locale or a layout has characters in its name that none can have.";
    DEVICE_IN_OPTIONS = "V009" Error "device in the options of mkfs",
        "The options for mkfs name a device, which would be written to as well, whatever is on it.";
    EXAMPLE_KEY = "V010" Warning "key of an example",
        "The key is the one of the examples in the documentation. No login is possible with it.";
    LOCKED_PASSWORD = "V011" Warning "password that is locked",
        "What is given for a hash is one of the ways to say that no password fits, such as `!!`, `*` or `nope`. The account has no password; a key may still open it.";
}

/// The code of that name.
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|c| c.id.eq_ignore_ascii_case(id))
}

macro_rules! pages {
    ($($id:literal)*) => { &[$(($id, include_str!(concat!("codes/", $id, ".md")))),*] };
}

/// One page for each code.
const PAGES: &[(&str, &str)] = pages! {
    "E000" "E001" "E002" "E003" "E004" "E005" "E006" "E007" "E008" "E009" "E010" "E011" "E012" "E013" "E014"
    "E015" "E101" "E102" "E103" "E201" "E202" "E203" "E204" "E205" "E206" "E207" "E208" "E209" "E210" "E211"
    "E212" "E213" "E214" "E215" "E216" "E217" "L001" "L002" "L003" "L004" "L005" "L006" "L007" "L008" "L009"
    "L010" "L011" "L012" "L013" "L014" "L015" "L016" "L017" "L018" "L019" "L020" "L021" "L022" "L023" "L024"
    "L025" "L026" "L027" "L028" "L029" "L030" "L031" "L032" "L033" "L034" "W001" "W002" "W003" "W004" "W005"
    "V001" "V002" "V003" "V004" "V005" "V006" "V007" "V008" "V009" "V010" "V011"
    "W006" "W007" "W008" "W009" "W010" "W011" "W012" "W101" "W201" "W402" "W403"
};

/// What else there is to say about a code, in Markdown: an example that
/// produces it, and the remedy. The examples are excerpts: that no image is
/// named, no partitions are asked for and no login is possible counts only
/// where that is the point.
pub fn page(id: &str) -> Option<&'static str> {
    PAGES.iter().find(|(code, _)| code.eq_ignore_ascii_case(id)).map(|(_, page)| *page)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{ParseOptions, parse};

    /// Too large to show, or nothing that a text can show.
    const WITHOUT_EXAMPLE: &[&str] = &["E000", "E009", "E010", "E014", "E217", "W006"];

    /// The kickstarts of a part of a page: the first one is called `a.ks` here, unless it has a name.
    fn kickstarts(part: &str) -> Option<(String, BTreeMap<String, String>)> {
        let mut blocks = part.split("```kickstart").skip(1).map(|rest| {
            let (name, text) = rest.split_once('\n').unwrap();
            (name.trim().to_owned(), text.split("```").next().unwrap().to_owned())
        });
        let (_, main) = blocks.next()?;
        Some((main, blocks.collect()))
    }

    fn found(of: &str, (main, files): (String, BTreeMap<String, String>)) -> BTreeSet<&'static str> {
        let options = ParseOptions { loader: Some(&files), ..ParseOptions::default() };
        let parsed = parse(&main, "main.ks", &options);
        let excerpt = ["L005", "L006", "L031"];
        let counts = |code: &&str| *code == of || !excerpt.contains(code);
        let values = crate::values::judge(&parsed.kickstart, &crate::values::Known::default());
        parsed.diagnostics.iter().chain(&values).map(|d| d.code).filter(counts).collect()
    }

    #[test]
    fn examples_give_their_code_and_remedies_do_not() {
        let mut wrong = Vec::new();
        for code in ALL {
            let page = page(code.id).unwrap_or_else(|| panic!("{} has no page", code.id));
            let (example, remedy) = page.split_once("## Remedy\n").unwrap_or_else(|| panic!("{}: {page}", code.id));
            assert!(example.contains("## Example\n"), "{}", code.id);
            let Some(bad) = kickstarts(example) else {
                assert!(WITHOUT_EXAMPLE.contains(&code.id), "{} has no example", code.id);
                continue;
            };
            let good = kickstarts(remedy).unwrap_or_else(|| panic!("{} has no corrected example", code.id));
            let (bad, good) = (found(code.id, bad), found(code.id, good));
            if bad != BTreeSet::from([code.id]) || !good.is_empty() {
                wrong.push(format!("{}: the example gives {bad:?}, the remedy {good:?}", code.id));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn every_page_belongs_to_a_code() {
        let pages = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/codes")).unwrap();
        for page in pages {
            let name = page.unwrap().file_name().into_string().unwrap();
            let id = name.trim_end_matches(".md");
            assert!(find(id).is_some() && super::page(id).is_some(), "{name} belongs to no code any more");
        }
    }

    #[test]
    fn codes_are_unique_and_explained() {
        for (i, code) in ALL.iter().enumerate() {
            assert!(ALL[..i].iter().all(|c| c.id != code.id), "{}", code.id);
            assert!(code.explanation.ends_with('.'), "{}", code.id);
            assert!(!code.title.ends_with('.'), "{}", code.id);
            match code.id.as_bytes()[0] {
                b'E' | b'U' => assert_eq!(code.severity, Severity::Error, "{}", code.id),
                b'W' => assert_eq!(code.severity, Severity::Warning, "{}", code.id),
                b'V' => assert_ne!(code.severity, Severity::Info, "{}", code.id),
                letter => assert_eq!(letter, b'L', "{}", code.id),
            }
        }
        assert_eq!(find("e101"), Some(&UNKNOWN_COMMAND));
    }
}
