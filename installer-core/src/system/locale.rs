//! The language and the name of the host.

use super::change::{Change, Facts, Findings, Topic};
use crate::request::SystemSettings;

/// The changes for language and host name.
pub fn changes(settings: &SystemSettings, facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    let mut list = Vec::new();
    if let Some(lang) = &settings.lang {
        check(lang, facts, found);
        list.push(Change::write("/etc/locale.conf", format!("LANG={lang}\n")));
    }
    if let Some(hostname) = &settings.hostname {
        list.push(Change::write("/etc/hostname", format!("{hostname}\n")));
    }
    list
}

fn check(lang: &str, facts: Facts<'_>, found: &mut Findings) {
    let Some(locales) = facts.and_then(|facts| facts.locales.as_ref()) else { return };
    let same = |locale: &String| normal(locale) == normal(lang);
    if locales.is_empty() || matches!(lang, "C" | "POSIX") || locales.iter().any(same) {
        return;
    }
    let hint = match kickstart_parser::closest(lang, locales.iter().map(String::as_str)) {
        Some(near) => format!("perhaps {near} is meant; else add the locale to the image"),
        None => "add the locale to the image (Fedora: glibc-langpack-…)".into(),
    };
    let message = format!("the image has no locale {lang}; programs will speak as in the locale C");
    found.note(Topic::Language, message, hint);
}

/// glibc compares the letters and digits of a codeset alone: `en_US.UTF-8` is `en_US.utf8`.
fn normal(locale: &str) -> String {
    let (name, codeset) = locale.split_once('.').unwrap_or((locale, ""));
    let codeset: String = codeset.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{name}.{}", codeset.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::SystemFacts;

    #[test]
    fn locales_are_compared_as_glibc_does() {
        let facts = SystemFacts { locales: Some(vec!["C.utf8".into(), "de_DE.utf8".into()]), ..SystemFacts::default() };
        for (lang, notes) in [("C.UTF-8", 0), ("de_DE.UTF-8", 0), ("C", 0), ("cs_CZ.UTF-8", 1)] {
            let settings = SystemSettings { lang: Some(lang.into()), ..SystemSettings::default() };
            let mut found = Findings::default();
            let list = changes(&settings, Some(&facts), &mut found);
            assert_eq!((list.len(), found.list().len()), (1, notes), "{lang}");
        }
    }
}
