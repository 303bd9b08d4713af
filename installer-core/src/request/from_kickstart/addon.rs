//! `%addon org_bootc_ks`: what a kickstart says to us alone, in lines of `key = value`. The
//! add-on for Anaconda reads the same section (anaconda-module/addon/org_bootc_ks/settings.py);
//! tests/addon-section.json has cases on which both must agree.

use std::time::Duration;

use kickstart_parser::Span;
use kickstart_parser::kickstart::{Addon, Kickstart};

use super::super::in_kickstart::in_kickstart;
use super::Reader;
use crate::image::{ImageReference, Login};
use crate::request::RegistryAccess;
use crate::units::{Digest, Secret};

/// The name of our section.
const NAME: &str = "org_bootc_ks";
/// Its keys.
const KEYS: [&str; 12] = [
    "check",
    "timeout",
    "digest",
    "pin",
    "target",
    "username",
    "password",
    "authfile",
    "keep-credentials",
    "insecure-registry",
    "lint",
    "script-timeout",
];
/// Seconds that a registry may stay silent.
const TIMEOUTS: std::ops::RangeInclusive<u64> = 5..=3600;
/// Seconds that a script may take.
const SCRIPT_TIMEOUTS: std::ops::RangeInclusive<u64> = 1..=86400;

/// What our section says.
#[derive(Default)]
pub(super) struct Ours {
    pub registry: RegistryAccess,
    pub digest: Option<Digest>,
    /// Where updates come from.
    pub target: Option<String>,
    /// How many seconds each script may take.
    pub script_timeout: Option<u64>,
}

/// A line of it.
struct Setting<'a> {
    key: &'a str,
    value: &'a str,
    key_span: Span,
    value_span: Span,
}

impl Reader<'_> {
    pub(super) fn addons(&mut self, kickstart: &Kickstart) -> Ours {
        let (ours, others): (Vec<&Addon>, Vec<&Addon>) = kickstart.addons.iter().partition(|a| a.name == NAME);
        for other in others {
            let message = format!("`%addon {}` has no effect where a container image is installed", other.name);
            self.warn_if(true, other.span, &message, "leave it out, or use Anaconda");
        }
        for again in ours.iter().skip(1) {
            self.bad(again.span, format!("%addon {NAME} is given twice"), "put both into one section");
        }
        ours.first().map(|addon| self.ours(addon)).unwrap_or_default()
    }

    fn ours(&mut self, addon: &Addon) -> Ours {
        if !addon.arguments.is_empty() {
            let message = format!("%addon {NAME} takes no options");
            self.bad(addon.span, message, "write `key = value` lines into it");
        }
        let (mut ours, mut user, mut password) = (Ours::default(), None, None);
        for (number, (line, span)) in addon.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let Some(setting) = setting(line, span) else {
                // It is not shown: who forgets the equals sign may have written a password.
                let message = format!("line {} of %addon {NAME} is not of the form `key = value`", number + 1);
                self.bad(addon.span, message, "write, for example, username = installer");
                continue;
            };
            match setting.key {
                _ if setting.value.is_empty() && KEYS.contains(&setting.key) => self.bad(
                    setting.key_span,
                    format!("`{}` has no value", setting.key),
                    "give it one, or leave it out",
                ),
                "username" => user = Some(setting.value.to_owned()),
                "password" => password = Some(Secret::new(setting.value)),
                _ => self.set(&mut ours, &setting),
            }
        }
        ours.registry.login = self.login(addon.span, user, password);
        if ours.registry.keep_credentials && ours.registry.login.is_none() && ours.registry.authfile.is_none() {
            let help = "give a username and a password, or an authfile";
            self.bad(addon.span, "keep-credentials: there are no credentials to keep", help);
        }
        ours
    }

    fn login(&mut self, span: Span, user: Option<String>, password: Option<Secret>) -> Option<Login> {
        match (user, password) {
            (Some(user), Some(password)) => return Some(Login { user, password }),
            (None, Some(_)) => self.bad(span, "there is a password, but no username", "add: username = NAME"),
            // Anaconda's screen can ask for it; here no question is asked.
            (Some(_), None) => self.bad(span, "there is a username, but no password", "add: password = PASSWORD"),
            (None, None) => {}
        }
        None
    }

    /// All but the user name and the password.
    fn set(&mut self, ours: &mut Ours, setting: &Setting<'_>) {
        let Setting { key, value, .. } = setting;
        match *key {
            "check" => self.check_setting(setting),
            "timeout" => match seconds(value, &TIMEOUTS) {
                Some(seconds) => ours.registry.timeout = Some(Duration::from_secs(seconds)),
                None => {
                    let (first, last) = (TIMEOUTS.start(), TIMEOUTS.end());
                    self.bad_setting(setting, &format!("a number of seconds between {first} and {last}"));
                }
            },
            "script-timeout" => match seconds(value, &SCRIPT_TIMEOUTS) {
                Some(seconds) => ours.script_timeout = Some(seconds),
                None => {
                    let (first, last) = (SCRIPT_TIMEOUTS.start(), SCRIPT_TIMEOUTS.end());
                    self.bad_setting(setting, &format!("a number of seconds between {first} and {last}"));
                }
            },
            "digest" => match value.parse() {
                Ok(digest) => ours.digest = Some(digest),
                Err(_) => self.bad_setting(setting, "sha256: and 64 hexadecimal digits"),
            },
            "target" => match value.parse::<ImageReference>() {
                Ok(_) => ours.target = Some((*value).to_owned()),
                Err(error) => {
                    let help = error
                        .remedy()
                        .map_or_else(|| "write it as REGISTRY/NAME:TAG".to_owned(), |help| help.say(&in_kickstart));
                    self.bad(setting.value_span, format!("target: {error}"), &help);
                }
            },
            "authfile" => ours.registry.authfile = Some((*value).into()),
            "keep-credentials" => ours.registry.keep_credentials = self.yes_or_no(setting),
            "insecure-registry" => ours.registry.insecure_registries.push((*value).to_owned()),
            // The digest that was checked is what is always installed; lints are for `check`.
            "pin" | "lint" => drop(self.yes_or_no(setting)),
            unknown => {
                let known = KEYS.join(", ");
                self.bad(setting.key_span, format!("unknown key `{unknown}`"), &format!("known are {known}"));
            }
        }
    }

    /// This installer has no way around its checks.
    fn check_setting(&mut self, setting: &Setting<'_>) {
        match setting.value {
            "require" => {}
            "warn" | "off" => {
                let message = format!("check = {}: everything is checked all the same", setting.value);
                self.warn_if(true, setting.value_span, &message, "it is for Anaconda");
            }
            _ => self.bad_setting(setting, "one of require, warn, off"),
        }
    }

    fn yes_or_no(&mut self, setting: &Setting<'_>) -> bool {
        match setting.value {
            "yes" => return true,
            "no" => {}
            _ => self.bad_setting(setting, "yes or no"),
        }
        false
    }

    fn bad_setting(&mut self, setting: &Setting<'_>, is: &str) {
        self.bad(setting.value_span, format!("`{}` is {is}", setting.key), "correct it, or leave it out");
    }
}

fn seconds(value: &str, range: &std::ops::RangeInclusive<u64>) -> Option<u64> {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    value.parse().ok().filter(|seconds| digits && range.contains(seconds))
}

/// The two sides of the first equals sign, the value without its quotes.
fn setting(line: &str, span: Span) -> Option<Setting<'_>> {
    let (key, value) = line.split_once('=')?;
    let place = |part: &str, from: usize| {
        let blank = part.len() - part.trim_start().len();
        let start = span.start + (from + blank) as u32;
        Span { start, end: start + part.trim().len() as u32, ..span }
    };
    let (key_span, value_span) = (place(key, 0), place(value, key.len() + 1));
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    Some(Setting { key: key.trim(), value: inner.unwrap_or(value), key_span, value_span })
}

#[cfg(test)]
mod tests {
    use kickstart_parser::{ParseOptions, parse};
    use serde_json::{Map, Value, json};

    use crate::request::{Request, from_kickstart};

    fn read(section: &str) -> (Request, Vec<(usize, String)>) {
        let parsed = parse(section, "site.ks", &ParseOptions::default());
        assert!(!parsed.has_errors(), "{section}");
        let (request, found) = from_kickstart(&parsed.kickstart, &parsed.sources);
        let told = |d: &kickstart_parser::Diagnostic| (parsed.sources.locate(d.span).line, d.message.clone());
        (request, found.iter().map(told).collect())
    }

    /// What is said in it, by the names of the section.
    fn settings(request: &Request) -> Value {
        let registry = &request.registry;
        let mut told = Map::new();
        let mut tell = |key: &str, value: Option<Value>| told.extend(value.map(|value| (key.to_owned(), value)));
        tell("username", registry.login.as_ref().map(|login| json!(login.user)));
        tell("password", registry.login.as_ref().map(|login| json!(login.password.expose())));
        tell("authfile", registry.authfile.as_ref().map(|file| json!(file)));
        tell("keep-credentials", registry.keep_credentials.then_some(Value::Bool(true)));
        let insecure = &registry.insecure_registries;
        tell("insecure-registry", (!insecure.is_empty()).then(|| json!(insecure)));
        tell("timeout", registry.timeout.map(|timeout| json!(timeout.as_secs())));
        tell("script-timeout", request.scripts.first().and_then(|script| script.time_limit).map(|limit| json!(limit)));
        tell("target", request.update_from.as_ref().map(|target| json!(target)));
        tell("digest", request.digest.as_ref().map(|digest| json!(digest)));
        Value::Object(told)
    }

    #[test]
    fn it_is_read_as_the_add_on_reads_it() {
        let cases: Vec<Value> = serde_json::from_str(include_str!("../../../../tests/addon-section.json")).unwrap();
        assert!(cases.len() > 20);
        for case in cases {
            let (request, found) =
                read(&format!("%addon org_bootc_ks\n{}%end\n%pre\ntrue\n%end\n", case["body"].as_str().unwrap()));
            let Some(error) = case["error"].as_str() else {
                assert_eq!(found, [], "{case}");
                assert_eq!(settings(&request), case["settings"], "{case}");
                continue;
            };
            // Of a line that may be a password, the section's first line is shown.
            let line = if error.starts_with("not of") { 1 } else { case["line"].as_u64().unwrap() as usize + 1 };
            assert!(found.len() == 1 && found[0].0 == line && found[0].1.contains(error), "{found:?} for {case}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let (request, found) = read(
            "%addon org_bootc_ks --x\nbogus = 1\nusername = u\ncheck = off\ntarget = Q/A\n%end\n\
             %addon com_redhat_kdump --enable\n%end\n%addon org_bootc_ks\n%end\n",
        );
        let all: Vec<String> = found.iter().map(|(line, message)| format!("{line}: {message}")).collect();
        for part in [
            "1: %addon org_bootc_ks takes no options",
            "2: unknown key `bogus`",
            "1: there is a username, but no password",
            "4: check = off: everything is checked all the same",
            "5: target: ",
            "7: `%addon com_redhat_kdump` has no effect",
            "9: %addon org_bootc_ks is given twice",
        ] {
            assert!(all.iter().any(|text| text.starts_with(part)), "{part} in {all:#?}");
        }
        assert_eq!((all.len(), request.registry.login), (7, None), "{all:#?}");
    }
}
