//! Which options of mkfs may be asked for: those that shape the file system. What makes none, names another
//! one than the plan does, or reads files of this machine is refused before anything is lost.
//!
//! From mke2fs(8), mkfs.xfs(8) and mkfs.btrfs(8). Pure.

use super::filesystem::{EXT, driver};

/// The options of a program.
struct Options {
    /// Without a value.
    plain: &'static str,
    /// With one.
    valued: &'static str,
    /// Long ones without a value.
    long: &'static [&'static str],
    /// Long ones with one, behind `=` or as the next word.
    long_valued: &'static [&'static str],
    /// What may not be asked for within a value (`-m uuid=…`), with why.
    not_within: &'static [(char, &'static str, &'static str)],
    /// What may not be asked for at all, with why.
    not: &'static [(&'static str, &'static str)],
}

const ITS_OWN_UUID: &str = "the plan gives it its UUID, by which it is found at boot";
const MAKES_NONE: &str = "with it no file system is made";
const READS_FILES: &str = "it reads files of the machine that installs";
const ANOTHER_PLACE: &str = "the file system would not be where the plan has it";

const OF_EXT: Options = Options {
    plain: "cjqvFDk",
    valued: "bCegGiIJLmMNoOrTE",
    long: &[],
    long_valued: &[],
    not_within: &[('E', "offset", ANOTHER_PLACE), ('J', "device", ANOTHER_PLACE), ('J', "location", ANOTHER_PLACE)],
    not: &[
        ("-U", ITS_OWN_UUID),
        ("-n", MAKES_NONE),
        ("-V", MAKES_NONE),
        ("-S", MAKES_NONE),
        ("-d", READS_FILES),
        ("-l", READS_FILES),
        ("-z", READS_FILES),
        ("-t", "the type of the file system is asked for by itself"),
    ],
};

const OF_XFS: Options = Options {
    plain: "qfK",
    valued: "bmdilnsL",
    long: &[],
    long_valued: &[],
    not_within: &[
        ('m', "uuid", ITS_OWN_UUID),
        ('d', "name", ANOTHER_PLACE),
        ('d', "file", ANOTHER_PLACE),
        ('d', "size", ANOTHER_PLACE),
        ('l', "logdev", ANOTHER_PLACE),
        ('l', "name", ANOTHER_PLACE),
        ('l', "file", ANOTHER_PLACE),
    ],
    not: &[("-N", MAKES_NONE), ("-V", MAKES_NONE), ("-p", READS_FILES), ("-c", READS_FILES), ("-r", ANOTHER_PLACE)],
};

const OF_BTRFS: Options = Options {
    plain: "MKfqv",
    valued: "AdmnsLOR",
    long: &["mixed", "nodiscard", "force", "quiet", "verbose"],
    long_valued: &[
        "alloc-start",
        "checksum",
        "csum",
        "data",
        "metadata",
        "nodesize",
        "sectorsize",
        "label",
        "features",
        "runtime-features",
    ],
    not_within: &[],
    not: &[
        ("-U", ITS_OWN_UUID),
        ("--uuid", ITS_OWN_UUID),
        ("--device-uuid", ITS_OWN_UUID),
        ("-V", MAKES_NONE),
        ("--version", MAKES_NONE),
        ("--help", MAKES_NONE),
        ("-r", READS_FILES),
        ("--rootdir", READS_FILES),
        ("-b", ANOTHER_PLACE),
        ("--byte-count", ANOTHER_PLACE),
    ],
};

/// Why `options` cannot be given to the program that makes `filesystem`.
pub fn wrong(filesystem: &str, options: &[String]) -> Option<String> {
    let known = match driver(filesystem) {
        EXT => &OF_EXT,
        "xfs" => &OF_XFS,
        "btrfs" => &OF_BTRFS,
        _ => return None,
    };
    let mut words = options.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if let Some(why) = one(known, word, &mut words) {
            return Some(why);
        }
    }
    None
}

fn one<'a>(known: &Options, word: &'a str, more: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    if let Some(long) = word.strip_prefix("--") {
        return of_long(known, long, more);
    }
    let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
        return Some(format!("'{word}' is no option: the plan says what is made, and how large"));
    };
    for (at, letter) in letters.char_indices() {
        let option = format!("-{letter}");
        if let Some(why) = refused(known, &option) {
            return Some(why);
        }
        if known.plain.contains(letter) {
            continue;
        }
        if !known.valued.contains(letter) {
            return Some(unknown(&option));
        }
        let value = match &letters[at + letter.len_utf8()..] {
            "" => more.next(),
            value => Some(value),
        };
        return match value {
            None => Some(format!("'{option}' has no value")),
            Some(value) => within(known, letter, value),
        };
    }
    None
}

fn of_long<'a>(known: &Options, long: &str, more: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
    let option = format!("--{name}");
    if let Some(why) = refused(known, &option) {
        return Some(why);
    }
    if known.long_valued.contains(&name) {
        let value = value.or_else(|| more.next());
        return value.is_none().then(|| format!("'{option}' has no value"));
    }
    (!known.long.contains(&name) || value.is_some()).then(|| unknown(&option))
}

fn refused(known: &Options, option: &str) -> Option<String> {
    known.not.iter().find(|(name, _)| *name == option).map(|(_, why)| format!("'{option}' cannot be asked for: {why}"))
}

fn unknown(option: &str) -> String {
    format!("'{option}' is no option of it that is known here")
}

fn within(known: &Options, letter: char, value: &str) -> Option<String> {
    let names = value.split(',').map(|part| part.split('=').next().unwrap_or_default().trim());
    let of_letter = || known.not_within.iter().filter(|(of, ..)| *of == letter);
    names.into_iter().find_map(|name| {
        of_letter()
            .find(|(_, word, _)| *word == name)
            .map(|(_, word, why)| format!("'-{letter} {word}' cannot be asked for: {why}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(filesystem: &str, options: &str) -> Option<String> {
        wrong(filesystem, &options.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_shapes_a_file_system_is_passed_on() {
        for (filesystem, options) in [
            ("ext4", "-m 1 -E lazy_itable_init=0,stride=4 -L name"),
            ("ext4", "-m0 -O ^64bit,metadata_csum -I256 -J size=64"),
            ("ext3", "-j -b 4096 -i 8192 -T largefile"),
            ("xfs", "-m reflink=1,crc=1 -i size=512 -n ftype=1 -K"),
            ("xfs", "-d agcount=8,su=64k,sw=4 -l size=64m -s size=4096"),
            ("btrfs", "-m dup -d single --csum xxhash --nodesize=16k -K"),
            ("vfat", "anything"),
        ] {
            assert!(of(filesystem, options).is_none(), "{filesystem} {options}: {:?}", of(filesystem, options));
        }
    }

    #[test]
    fn what_makes_another_one_or_none_is_refused() {
        for (filesystem, options) in [
            ("ext4", "-U random"),
            ("ext4", "-Uclear"),
            ("ext4", "-qU clear"),
            ("ext4", "-n"),
            ("ext4", "-E stride=4,offset=1048576"),
            ("ext4", "-J device=/dev/sdb"),
            ("ext4", "-t ext2"),
            ("ext4", "-d /etc"),
            ("ext4", "1000"),
            ("ext4", "-Z"),
            ("ext4", "-m"),
            ("ext4", "--help"),
            ("ext4", "-"),
            ("xfs", "-m crc=1,uuid=0"),
            ("xfs", "-N"),
            ("xfs", "-p /etc/passwd"),
            ("xfs", "-c options=/etc/passwd"),
            ("xfs", "-l logdev=/dev/sdb"),
            ("xfs", "-d name=/x"),
            ("xfs", "-r rtdev=/dev/sdb"),
            ("btrfs", "--uuid=0"),
            ("btrfs", "-r /etc"),
            ("btrfs", "--frobnicate"),
        ] {
            assert!(of(filesystem, options).is_some(), "{filesystem} {options}");
        }
    }
}
