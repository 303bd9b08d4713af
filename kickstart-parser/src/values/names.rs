//! Names that the system must know: locales, layouts, time zones, groups, shells.

use super::{Known, finding};
use crate::args::guess;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::span::Span;
use crate::templates;

/// A kind of names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Locale,
    Keymap,
    Zone,
    Group,
    Shell,
}

impl Kind {
    fn what(self) -> &'static str {
        match self {
            Kind::Locale => "locale",
            Kind::Keymap => "layout of a keyboard",
            Kind::Zone => "time zone",
            Kind::Group => "group",
            Kind::Shell => "shell",
        }
    }

    /// What there usually is.
    fn usual(self) -> &'static str {
        match self {
            Kind::Locale => include_str!("lists/locales.txt"),
            Kind::Keymap => include_str!("lists/keymaps.txt"),
            Kind::Zone => include_str!("lists/zones.txt"),
            Kind::Group => include_str!("lists/groups.txt"),
            Kind::Shell => include_str!("lists/shells.txt"),
        }
    }

    /// Whether the list of what is usual has all that there are: of the others, a name that is like
    /// none of the list may well be right.
    fn is_complete(self) -> bool {
        matches!(self, Kind::Locale | Kind::Zone)
    }
}

pub(super) fn judge(kickstart: &Kickstart, known: &Known<'_>, found: &mut Vec<Diagnostic>) {
    if let Some(lang) = &kickstart.lang {
        for name in std::iter::once(&lang.lang).chain(&lang.add_support) {
            locale(name, lang.span, known, found);
        }
    }
    if let Some(keyboard) = &kickstart.keyboard {
        let console = keyboard.vckeymap.iter().chain(&keyboard.keyboard);
        console.for_each(|name| keymap(name, keyboard.span, known, found));
    }
    if let Some((zone, span)) = kickstart.timezone.as_ref().and_then(|t| Some((t.zone.as_ref()?, t.span))) {
        // One that cannot be a name is refused elsewhere.
        let possible = zone.chars().all(|c| c.is_ascii_alphanumeric() || "+-_/".contains(c));
        found.extend(unknown(Kind::Zone, zone, span, known.zones).filter(|_| possible));
    }
    for user in &kickstart.users {
        for name in &user.groups {
            let name = name.split('(').next().unwrap_or("");
            let made =
                kickstart.groups.iter().any(|g| g.name == name) || kickstart.users.iter().any(|u| u.name == name);
            found.extend(unknown(Kind::Group, name, user.span, known.groups).filter(|_| !made));
        }
        let shell = user.shell.iter().filter(|shell| shell.starts_with('/'));
        found.extend(shell.filter_map(|shell| unknown(Kind::Shell, shell, user.span, known.shells)));
    }
}

/// A name that is on no list.
fn unknown(kind: Kind, name: &str, span: Span, known: Option<&[String]>) -> Option<Diagnostic> {
    let there = || known.into_iter().flatten().map(String::as_str);
    let usual = || kind.usual().lines().filter(move |_| known.is_none());
    if name.is_empty() || templates::is_placeholder(name) || there().chain(usual()).any(|n| n == name) {
        return None;
    }
    let close = guess::closest(name, there().chain(usual()));
    if close.is_none() && known.is_none() && !kind.is_complete() {
        return None;
    }
    let message = match known {
        Some(_) => format!("the image has no {} `{name}`", kind.what()),
        None => format!("there is no {} `{name}` that is known", kind.what()),
    };
    let help = match close {
        Some(close) => format!("did you mean `{close}`?"),
        None => "look at the spelling".to_owned(),
    };
    Some(finding(&codes::UNKNOWN_NAME, span, message, help))
}

/// `language_TERRITORY.codeset@modifier`, of which everything but the language may be left out.
fn locale(name: &str, span: Span, known: &Known<'_>, found: &mut Vec<Diagnostic>) {
    if templates::is_placeholder(name) {
        return;
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_.@-".contains(c)) {
        let message = "`lang` cannot be the name of a locale".to_owned();
        found.push(finding(&codes::IMPOSSIBLE_NAME, span, message, "write it as `en_US.UTF-8`"));
        return;
    }
    let (rest, _) = name.split_once('@').unwrap_or((name, ""));
    let (place, codeset) = rest.split_once('.').unwrap_or((rest, ""));
    if let Some(there) = known.locales {
        let same =
            |other: &String| plain(other) == plain(name) || plain(other.split('.').next().unwrap_or("")) == plain(name);
        if !there.iter().any(same) && !is_builtin(place) {
            found.extend(unknown(Kind::Locale, name, span, known.locales));
        }
        return;
    }
    // A language alone stands for its first locale.
    let language = Kind::Locale.usual().lines().any(|known| known.split('_').next() == Some(place));
    if !language {
        found.extend(unknown(Kind::Locale, place, span, None));
    }
    if !codeset.is_empty() && !CODESETS.contains(&plain(codeset).as_str()) && !plain(codeset).starts_with("iso8859") {
        let message = format!("there is no character set `{codeset}` that is known");
        found.push(finding(&codes::UNKNOWN_NAME, span, message, "did you mean `UTF-8`?"));
    }
}

/// Part of every C library.
fn is_builtin(place: &str) -> bool {
    matches!(place, "C" | "POSIX")
}

/// Letters and digits, as locales are compared.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

const CODESETS: &[&str] = &[
    "utf8",
    "eucjp",
    "euckr",
    "euctw",
    "euccn",
    "koi8r",
    "koi8u",
    "koi8t",
    "gb18030",
    "gbk",
    "gb2312",
    "big5",
    "big5hkscs",
    "cp1251",
    "cp1255",
    "tcvn57121",
    "tis620",
    "armscii8",
    "georgianps",
    "pt154",
    "rk1048",
    "ujis",
    "sjis",
    "ansix341968",
    "ascii",
    "usascii",
];

fn keymap(name: &str, span: Span, known: &Known<'_>, found: &mut Vec<Diagnostic>) {
    if templates::is_placeholder(name) {
        return;
    }
    // Layouts of the desktop are taken, too: `cz (qwerty)`.
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_.+-() ,:".contains(c)) || name.starts_with(['-', '.']) {
        let message = "`keyboard` cannot be the name of a layout".to_owned();
        found.push(finding(&codes::IMPOSSIBLE_NAME, span, message, "write it as `us` or `cz-qwerty`"));
        return;
    }
    if !name.contains([' ', '(', ',', ':']) {
        found.extend(unknown(Kind::Keymap, name, span, known.keymaps));
    }
}

#[cfg(test)]
mod tests {
    use crate::values::Known;
    use crate::values::testing::{codes, found, found_with};

    #[test]
    fn names_that_are_known() {
        for text in [
            "lang en_US.UTF-8\n",
            "lang cs_CZ.utf8\n",
            "lang en\n",
            "lang C.UTF-8\n",
            "lang sr_RS.UTF-8@latin\n",
            "lang de_DE.ISO-8859-15@euro --addsupport=fr_FR,pt_BR.UTF-8\n",
            "keyboard us\n",
            "keyboard --vckeymap=cz-qwerty --xlayouts='cz (qwerty)'\n",
            "keyboard 'cz (qwerty)'\n",
            "keyboard a-layout-of-our-own\n",
            "timezone Europe/Prague\n",
            "timezone UTC --utc\n",
            "user --name=a --groups=wheel,dialout,ours --shell=/usr/bin/zsh\n",
            "group --name=whell\nuser --name=a --groups=whell\n",
            "user --name=wheeel\nuser --name=a --groups=wheeel(1000)\n",
            "user --name=a --shell=/opt/ours/shell\n",
        ] {
            assert!(codes(text).is_empty(), "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn names_that_are_misspelt() {
        for (text, meant) in [
            ("lang en_SU.UTF-8\n", "en_"),
            ("lang en_us.UTF-8\n", "`en_US`"),
            ("lang de_ED\n", "`de_DE`"),
            ("lang en_US.UFT-8\n", "`UTF-8`"),
            ("lang en_US --addsupport=cs_CC\n", "cs_CZ"),
            ("keyboard --vckeymap=dvroak\n", "`dvorak`"),
            ("keyboard cz-qwetry\n", "`cz-qwerty`"),
            ("timezone Europe/Pargue\n", "`Europe/Prague`"),
            ("timezone europe/prague\n", "`Europe/Prague`"),
            ("timezone America/NewYork\n", "`America/New_York`"),
            ("timezone Mars/Olympus\n", "spelling"),
            ("user --name=a --groups=whell\n", "`wheel`"),
            ("user --name=a --groups=audio,systemd-jurnal\n", "`systemd-journal`"),
            ("user --name=a --shell=/bin/bahs\n", "`/bin/bash`"),
            ("user --name=a --shell=/usr/bin/zssh\n", "`/usr/bin/zsh`"),
        ] {
            let found = found(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!(found[0].code, "V005", "{text}");
            assert!(found[0].help.as_deref().is_some_and(|help| help.contains(meant)), "{text}: {found:?}");
        }
    }

    #[test]
    fn commands_are_no_names() {
        for text in [
            "lang '$(reboot)'\n",
            "lang 'en_US;x'\n",
            "lang en_US --addsupport='`x`'\n",
            "keyboard '$(reboot)'\n",
            "keyboard --vckeymap='us\"'\n",
            "keyboard ../../etc/x\n",
        ] {
            assert_eq!(codes(text), ["V008"], "{text}");
        }
    }

    #[test]
    fn the_image_knows_better() {
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let (locales, zones, groups) =
            (names(&["en_US.utf8", "C.utf8"]), names(&["Etc/UTC"]), names(&["staff", "ops"]));
        let known = Known { locales: Some(&locales), zones: Some(&zones), groups: Some(&groups), ..Known::default() };
        for (text, expected) in [
            ("lang en_US.UTF-8\n", 0),
            ("lang en_US\n", 0),
            ("lang C.UTF-8\n", 0),
            ("lang cs_CZ.UTF-8\n", 1),
            ("timezone Etc/UTC\n", 0),
            ("timezone Europe/Prague\n", 1),
            ("user --name=a --groups=ops\n", 0),
            ("user --name=a --groups=wheel\n", 1),
        ] {
            assert_eq!(found_with(text, &known).len(), expected, "{text}");
        }
    }
}
