//! The keyboard: the keymap of the console and the layouts of X.

use super::change::{Change, Facts, Findings, Topic};
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
    }
    list.extend(layouts(settings));
    list
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
        list.push(Change::Set {
            path: "/etc/default/keyboard".into(),
            key: key.into(),
            value: format!("\"{value}\""),
            expected: false,
        });
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
    fn a_keymap_that_the_image_lacks_is_told() {
        let settings = SystemSettings { keymap: Some("dee".into()), ..SystemSettings::default() };
        let facts = SystemFacts { keymaps: vec!["de".into(), "us".into()], ..SystemFacts::default() };
        let mut found = Findings::default();
        changes(&settings, Some(&facts), &mut found);
        assert!(found.list()[0].message.contains("'dee'") && !found.list()[0].fatal);
    }
}
