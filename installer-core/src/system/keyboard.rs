//! The keyboard: the keymap of the console and the layouts of X.

use super::change::{Change, Facts, Findings, Topic};
use crate::image::{DEBIANS_LINKS, DEFAULT_KEYBOARD};
use crate::request::SystemSettings;

/// The changes for the keyboard.
pub fn changes(settings: &SystemSettings, facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    let mut list = Vec::new();
    if let Some(keymap) = &settings.keymap {
        let known = facts.map(|facts| facts.keymaps.as_slice()).unwrap_or_default();
        // An image without any has them in a place of its own.
        if !known.is_empty() && !known.contains(keymap) {
            let near = kickstart_parser::closest(keymap, known.iter().map(String::as_str));
            let hint = near.map(|near| format!("perhaps {near} is meant")).unwrap_or_default();
            found.note(Topic::Keyboard, format!("the image has no keymap '{keymap}'"), hint);
        }
        list.push(Change::write("/etc/vconsole.conf", format!("KEYMAP={keymap}\n")));
        if settings.x_layouts.is_empty()
            && let Some((layout, variant)) = layout_of(keymap)
        {
            list.extend(of_debian(keymap, layout, variant, facts));
        }
    }
    list.extend(layouts(settings));
    list
}

/// Debian makes the console's keymap of X's layout, wherever the image keeps both; its newer releases have
/// the file of the console be that of X.
fn of_debian(keymap: &str, layout: &str, variant: &str, facts: Facts<'_>) -> Vec<Change> {
    let has = |path: &str| facts.is_some_and(|facts| facts.has(path));
    match (has(DEFAULT_KEYBOARD), has(DEBIANS_LINKS)) {
        (true, _) => vec![default("XKBLAYOUT", layout), default("XKBVARIANT", variant)],
        (false, true) => {
            let text = format!("KEYMAP={keymap}\nXKBLAYOUT=\"{layout}\"\nXKBVARIANT=\"{variant}\"\n");
            vec![Change::write(DEFAULT_KEYBOARD, text)]
        }
        (false, false) => Vec::new(),
    }
}

/// A line of the file that Debian's keyboard-configuration reads, where the image has it.
fn default(key: &str, value: &str) -> Change {
    let value = format!("\"{value}\"");
    Change::Set { path: DEFAULT_KEYBOARD.into(), key: key.into(), value, expected: false }
}

/// Keymaps of the console that X calls otherwise, with X's layout and its variant.
const LAYOUTS: &[(&str, &str, &str)] = &[
    ("be-latin1", "be", ""),
    ("br-abnt", "br", ""),
    ("br-abnt2", "br", ""),
    ("by", "by", ""),
    ("cf", "ca", ""),
    ("croat", "hr", ""),
    ("cz-lat2", "cz", "qwerty"),
    ("cz-qwerty", "cz", "qwerty"),
    ("cz-us-qwertz", "cz", ""),
    ("de-latin1", "de", ""),
    ("de-latin1-nodeadkeys", "de", "nodeadkeys"),
    ("de-nodeadkeys", "de", "nodeadkeys"),
    ("de_CH-latin1", "ch", ""),
    ("dk-latin1", "dk", ""),
    ("dvorak", "us", "dvorak"),
    ("fi-latin1", "fi", ""),
    ("fr-bepo", "fr", "bepo"),
    ("fr-latin1", "fr", ""),
    ("fr-latin9", "fr", "latin9"),
    ("fr-pc", "fr", ""),
    ("fr_CH", "ch", "fr"),
    ("fr_CH-latin1", "ch", "fr"),
    ("hu101", "hu", "qwerty"),
    ("is-latin1", "is", ""),
    ("jp106", "jp", ""),
    ("la-latin1", "latam", ""),
    ("no-latin1", "no", ""),
    ("pl2", "pl", ""),
    ("pt-latin1", "pt", ""),
    ("sg", "ch", "de"),
    ("sg-latin1", "ch", "de"),
    ("sk-qwerty", "sk", "qwerty"),
    ("slovene", "si", ""),
    ("sv-latin1", "se", ""),
    ("trq", "tr", ""),
    ("uk", "gb", ""),
    ("us-acentos", "us", "intl"),
];

/// X's layout and variant for a keymap of the console; `None` where that is not certain.
fn layout_of(keymap: &str) -> Option<(&str, &str)> {
    let row = LAYOUTS.iter().find(|(name, _, _)| *name == keymap).map(|(_, layout, variant)| (*layout, *variant));
    // Two letters are a country's in both.
    let same = keymap.len() == 2 && keymap.bytes().all(|byte| byte.is_ascii_lowercase());
    row.or_else(|| same.then_some((keymap, "")))
}

/// X's layouts, for X and for the distributions that make the console's keymap of them.
fn layouts(settings: &SystemSettings) -> Vec<Change> {
    if settings.x_layouts.is_empty() {
        return Vec::new();
    }
    // `cz (qwerty)` is a layout and its variant.
    let split = |text: &String| match text.split_once('(') {
        Some((layout, variant)) => (layout.trim().to_owned(), variant.trim_end_matches(')').trim().to_owned()),
        None => (text.trim().to_owned(), String::new()),
    };
    let (layouts, variants): (Vec<String>, Vec<String>) = settings.x_layouts.iter().map(split).unzip();
    let rows = [
        ("XkbLayout", "XKBLAYOUT", layouts.join(",")),
        ("XkbVariant", "XKBVARIANT", variants.join(",").trim_matches(',').to_owned()),
        ("XkbOptions", "XKBOPTIONS", settings.x_options.join(",")),
    ];
    let mut options = String::new();
    let mut list = Vec::new();
    for (option, key, value) in rows.into_iter().filter(|(_, _, value)| !value.is_empty()) {
        options.push_str(&format!("    Option \"{option}\" \"{value}\"\n"));
        list.push(default(key, &value));
    }
    let section = format!(
        "Section \"InputClass\"\n    Identifier \"system-keyboard\"\n    MatchIsKeyboard \"on\"\n{options}EndSection\n"
    );
    list.push(Change::write("/etc/X11/xorg.conf.d/00-keyboard.conf", section));
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::SystemFacts;

    #[test]
    fn layouts_are_split_from_their_variants() {
        let settings = SystemSettings {
            x_layouts: vec!["cz (qwerty)".into(), "us".into()],
            x_options: vec!["grp:alt_shift_toggle".into()],
            ..SystemSettings::default()
        };
        let list = changes(&settings, None, &mut Findings::default());
        let set = |key: &str| {
            list.iter().find_map(|file| match file {
                Change::Set { key: k, value, .. } if k == key => Some(value.as_str()),
                _ => None,
            })
        };
        assert_eq!(set("XKBLAYOUT"), Some("\"cz,us\""));
        assert_eq!(set("XKBVARIANT"), Some("\"qwerty\""));
        assert_eq!(set("XKBOPTIONS"), Some("\"grp:alt_shift_toggle\""));
    }

    #[test]
    fn debian_gets_the_layout_of_a_keymap() {
        let debian = SystemFacts { programs: vec![DEFAULT_KEYBOARD.into()], ..SystemFacts::default() };
        for (keymap, expected) in [
            ("us", Some(("us", ""))),
            ("cz-qwerty", Some(("cz", "qwerty"))),
            ("uk", Some(("gb", ""))),
            ("our-own", None),
        ] {
            let settings = SystemSettings { keymap: Some(keymap.into()), ..SystemSettings::default() };
            assert_eq!(changes(&settings, Some(&SystemFacts::default()), &mut Findings::default()).len(), 1);
            let list = changes(&settings, Some(&debian), &mut Findings::default());
            let set: Vec<&Change> = list.iter().filter(|one| matches!(one, Change::Set { .. })).collect();
            let wanted: Vec<Change> = expected
                .iter()
                .flat_map(|(layout, variant)| [default("XKBLAYOUT", layout), default("XKBVARIANT", variant)])
                .collect();
            assert_eq!(set, wanted.iter().collect::<Vec<_>>(), "{keymap}");
        }
        let newer = SystemFacts { programs: vec![DEBIANS_LINKS.into()], ..SystemFacts::default() };
        let settings = SystemSettings { keymap: Some("uk".into()), ..SystemSettings::default() };
        let text = "KEYMAP=uk\nXKBLAYOUT=\"gb\"\nXKBVARIANT=\"\"\n";
        let list = changes(&settings, Some(&newer), &mut Findings::default());
        assert!(list.contains(&Change::write(DEFAULT_KEYBOARD, text)), "{list:?}");
        let x_layouts = vec!["de".to_owned()];
        let settings = SystemSettings { keymap: Some("us".into()), x_layouts, ..SystemSettings::default() };
        let list = changes(&settings, Some(&debian), &mut Findings::default());
        assert!(!list.contains(&default("XKBLAYOUT", "us")), "{list:?}");
    }

    #[test]
    fn a_keymap_that_the_image_lacks_is_told() {
        let settings = SystemSettings { keymap: Some("dee".into()), ..SystemSettings::default() };
        let facts = SystemFacts { keymaps: vec!["de".into(), "us".into()], ..SystemFacts::default() };
        let mut found = Findings::default();
        changes(&settings, Some(&facts), &mut found);
        assert!(found.list()[0].message.contains("'dee'") && !found.list()[0].fatal);
    }
}
