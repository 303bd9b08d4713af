//! Command lines out of the catalogue: mostly sensible, often a little wrong.

use kickstart_parser::catalog::{CommandInfo, OptionInfo, Value};

use super::random::Random;

/// A line of that command.
pub fn line(command: &CommandInfo, random: &mut Random) -> String {
    let mut words = Vec::new();
    for option in &command.options {
        let wanted = if option.required { !random.one_in(8) } else { random.below(command.options.len().max(6)) < 3 };
        let times = usize::from(wanted) + usize::from(wanted && random.one_in(12));
        words.extend((0..times).map(|_| self::option(option, random)));
    }
    let arguments = match command.arguments.len() {
        0 => usize::from(random.one_in(10)),
        many => many.saturating_sub(usize::from(random.one_in(8))) + random.below(6) / 4,
    };
    words.extend((0..arguments).map(|_| spelled(&argument(command.name, random), random)));
    if random.one_in(25) {
        words.push(
            random.pick(&["--bogus", "--bogus=1", "--", "-x", "-", "-1", "''", "\"\"", "\\ ", "--=x"]).to_owned(),
        );
    }
    // Arguments first is the custom, anything goes.
    if random.one_in(2) {
        random.shuffle(&mut words);
    } else {
        words.sort_by_key(|word| word.starts_with('-'));
    }
    let between = |random: &mut Random| if random.one_in(30) { "\t " } else { " " };
    let mut text = if random.one_in(40) { format!(" {}", command.name) } else { command.name.to_owned() };
    for word in words {
        text += between(random);
        text += &word;
    }
    match random.below(40) {
        0 => text + " # a comment",
        1 => text + "#glued",
        2 => text + "  ",
        3 => text + " \\",
        4 => text + " '",
        _ => text,
    }
}

fn option(option: &OptionInfo, random: &mut Random) -> String {
    let mut name = option.name;
    if !option.aliases.is_empty() && random.one_in(3) {
        name = random.pick(option.aliases);
    }
    if random.one_in(8) {
        // From `--` on: the shortest is an ambiguous one.
        name = &name[..2 + random.below(name.len() - 1).min(name.len() - 2)];
    }
    let takes = option.value != Value::None;
    match (takes, random.below(40)) {
        (true, 0) => name.to_owned(),
        (true, 1) => format!("{name}="),
        (false, 0) => format!("{name}=yes"),
        (false, _) => name.to_owned(),
        (true, n) => {
            let value = spelled(&value(option, random), random);
            if n % 3 == 0 { format!("{name} {value}") } else { format!("{name}={value}") }
        }
    }
}

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "5",
    "64",
    "512",
    "1024",
    "100",
    "4096",
    "+7",
    "1_000",
    "1__0",
    "-5",
    "-0",
    "007",
    " 8 ",
    "1.5",
    "1e3",
    "0x10",
    "",
    "ten",
    "99999999999999999999",
    "4294967296",
    "\u{663}",
    "_1",
    "1_",
];

fn value(option: &OptionInfo, random: &mut Random) -> String {
    match option.value {
        Value::Number if random.one_in(3) => random.pick(NUMBERS).to_owned(),
        Value::Number => random.pick(&NUMBERS[..8]).to_owned(),
        Value::Boolean => random.pick(&["on", "yes", "true", "1", "OFF", "No", "false", "0", "maybe", ""]).to_owned(),
        Value::Choice(of) if !random.one_in(6) => random.pick(of).to_owned(),
        Value::Choice(of) => random.pick(of).to_uppercase(),
        Value::List => random.pick(&["a", "a,b", "a,,b", " a , b ", ",", "", "sda,sdb", "b,a,b", "a b,c"]).to_owned(),
        _ => text(option.name, random),
    }
}

/// What some options take, beside anything.
const TEXTS: &[(&str, &[&str])] = &[
    ("fstype", &["ext4", "xfs", "swap", "tmpfs", "biosboot", "btrfs", "mdmember", "lvmpv", "EXT4", "efi"]),
    ("type", &["lvm", "plain", "btrfs", "thinp", "stratis", "LVM", "ssh"]),
    ("level", &["0", "1", "5", "6", "10", "RAID1", "raid10", "linear", "single", "info", "debug", "critical", "RAID7"]),
    ("data", &["0", "1", "raid1", "single", "10", "7"]),
    ("device", &["md0", "0", "mdroot", "root", "md", "eth0", "link", "bootif", "00:11:22:33:44:55", "vda"]),
    ("onpart", &["/dev/sda1", "sda1", "/dev/", "LABEL=x", "UUID=x"]),
    ("size", &["1", "100", "4096", "-1", "0"]),
    ("luks-version", &["luks1", "luks2", "LUKS2", "luks3"]),
    ("pbkdf", &["pbkdf2", "argon2i", "argon2id", "x"]),
    ("cachemode", &["writeback", "writethrough", "x"]),
    ("bootproto", &["dhcp", "static", "bootp", "ibft", "query", "DHCP", "x"]),
    ("ip", &["10.0.0.2", "dhcp", "auto", "fe80::1", "300.1.1.1", "10.0.0.2/24", "x"]),
    ("net", &["255.255.255.0", "24", "x"]),
    ("gateway", &["10.0.0.1", "x", "fe80::1"]),
    ("nameserver", &["10.0.0.1", "10.0.0.1,10.0.0.2", "x"]),
    ("hostname", &["box", "box.example.com", "-x", "a_b", ""]),
    ("teamslaves", &["eth0,eth1", "eth0'{\"prio\": 1}',eth1", "a'{", "a,,b"]),
    ("teamconfig", &["{\"a\": 1}", "{"]),
    ("bridge", &["eth0,eth1", "priority=1,stp=no", "stp", "bogus=1", "priority=1;stp=no"]),
    ("bond", &["eth0,eth1", "mode=1;miimon=2", "mode=1,miimon=2", "mode"]),
    ("vlanid", &["7", "0", "4095", "x", "ens3.5"]),
    ("bindto", &["mac", "x"]),
    ("essid", &["net", "my net"]),
    ("wpakey", &["secret", ""]),
    ("when", &["pre-install", "post-install", "now"]),
    ("port", &["22:tcp", "22", "80,443:tcp", "1:udp", "x", "ssh:tcp", "3260", ","]),
    ("url", &["http://example.com/x", "ftp://h/d", "file:///x", "x", "http://u:p@h/"]),
    ("mirrorlist", &["http://example.com/m", "x"]),
    ("metalink", &["http://example.com/m", "x"]),
    ("proxy", &["http://u:p@h:3128", "h", ""]),
    ("location", &["mbr", "partition", "none", "boot", "MBR"]),
    ("name", &["a", "root", "x y", "vg/lv", "a-b", "_", ""]),
    ("vgname", &["vg", "a b"]),
    ("origin", &["vg/lv", "lv", "vg/lv/x"]),
    ("interface", &["vlan0", "x"]),
    ("xlayouts", &["us", "us,cz", "'cz (qwerty)'", ""]),
    ("switch", &["grp:alt_shift_toggle", ""]),
    ("vckeymap", &["us", "cz-qwertz"]),
    ("ntp", &["0.pool.ntp.org", "a,b", ""]),
    ("disklabel", &["gpt", "msdos", "x"]),
    ("drives", &["sda", "sda,sdb", ""]),
    ("only-use", &["sda", "vda|vdb", ""]),
    ("devnum", &["0.0.fc00", "fc00", "0xfc00", "zz"]),
    ("wwpn", &["0x5005076300C18154", "5005076300C18154", "x"]),
    ("fcplun", &["0x0000000000000000", "0", "x"]),
    ("groups", &["wheel", "a,b", "wheel(10), users", ""]),
    ("checksum", &["0123456789abcdef", ""]),
    ("sshkey", &["ssh-ed25519 AAAA me"]),
    ("password", &["secret", "a#b", "a ", "$6$salt$hash", "grub.pbkdf2.sha512.x", "a b", ""]),
    ("passphrase", &["secret", "a#b", "it's", "a b", ""]),
    ("timeout", &["5", "0"]),
];

const ANYTHING: &[&str] = &[
    "x",
    "foo",
    "a b",
    "",
    "/",
    "/boot",
    "-x",
    "--y",
    "a=b",
    "a,b",
    "1",
    "\u{fc}n\u{ef}",
    "$(x)",
    "sda",
    "/dev/sda1",
    "it's",
    "say \"hi\"",
    "a#b",
    "back\\slash",
    " lead",
    "trail ",
    "None",
    "0",
];

fn text(name: &str, random: &mut Random) -> String {
    let fitting = TEXTS.iter().filter(|(part, _)| name.contains(part)).max_by_key(|(part, _)| part.len());
    match fitting {
        Some((_, values)) if !random.one_in(6) => random.pick(values).to_owned(),
        _ => random.pick(ANYTHING).to_owned(),
    }
}

const ARGUMENTS: &[(&str, &[&str])] = &[
    (
        "part",
        &["/", "/boot", "swap", "raid.01", "pv.01", "btrfs.01", "biosboot", "//x", "/a/../b", "home", "None", "/x/"],
    ),
    ("logvol", &["/", "/home", "swap", "none", "//", "/a//b", "home"]),
    ("raid", &["/", "/boot", "swap", "raid.01", "raid.02", "raid.03", "pv.01", "none"]),
    ("volgroup", &["vg", "pv.01", "pv.02", "x y"]),
    ("btrfs", &["/", "none", "btrfs.01", "btrfs.02", "LABEL=x", "/home"]),
    ("mount", &["/dev/sda1", "/", "none", "sda1", "UUID=x", "swap", "/boot"]),
    ("strat", &["pool", "stratis.01", "stratis.02", "/", "/home"]),
    ("lang", &["en_US.UTF-8", "cs_CZ", "de"]),
    ("keyboard", &["us", "cz", "de-nodeadkeys"]),
    ("timezone", &["Europe/Prague", "UTC", "Etc/UTC", "Nowhere/City"]),
    ("snapshot", &["vg/lv", "lv", "vg/lv/x", "vg/"]),
    ("auth", &["--enableshadow", "--passalgo=sha512", "select", "sssd", "with-mkhomedir"]),
    ("realm", &["join", "leave", "example.com", "--user=x", "--one-time-password=x", "--computer-ou", "--no-password"]),
    ("module", &["nodejs", "nodejs:12"]),
];

fn argument(command: &str, random: &mut Random) -> String {
    let fitting = ARGUMENTS.iter().filter(|(part, _)| command.starts_with(part)).max_by_key(|(part, _)| part.len());
    match fitting {
        Some((_, values)) if !random.one_in(10) => random.pick(values).to_owned(),
        _ => random.pick(ANYTHING).to_owned(),
    }
}

/// A value as a word of a line: quoted where it has to be, mostly, and somehow where not.
fn spelled(value: &str, random: &mut Random) -> String {
    let needs = value.is_empty() || value.contains([' ', '\'', '"', '#', '\\', '\t']);
    let double = |value: &str| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    match random.below(if needs { 8 } else { 24 }) {
        0 if needs => value.to_owned(),
        0 | 1 if !value.contains('\'') => format!("'{value}'"),
        n if needs || n == 2 => double(value),
        3 => value.chars().flat_map(|c| ['\\', c]).collect(),
        4 => format!("{value}''"),
        _ => value.to_owned(),
    }
}
