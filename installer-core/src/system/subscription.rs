//! Registration with Red Hat: by subscription-manager of the image, at the first boot.
//!
//! subscription-manager takes activation keys as arguments, which every process of a machine may read. Its
//! own code is therefore called with arguments that the kernel never sees: a few lines of Python, which it
//! is written in as well, read them from a file that root alone reads and that goes when it is done.

use std::collections::BTreeMap;

use serde_json::json;

use super::change::{Change, Facts, Findings, Topic};
use super::once::{self, Once};
use crate::request::Registration;
use crate::units::Secret;

/// What registers.
const PROGRAM: &str = "/usr/sbin/subscription-manager";
/// What reports to Insights.
const INSIGHTS: &str = "/usr/bin/insights-client";
/// What it is to be called with: a list of lists of words.
const WORDS: &str = "/etc/bootc-ks/registration.json";
const SCRIPT: &str = "/etc/bootc-ks/register.py";
/// What stands for the words in the plan.
const STAND_IN: &str = "<arguments of the registration>";

const CALLS: &str = "\
# Written by bootc-ks at installation. Calls subscription-manager with arguments that no list of processes shows.
import json, runpy, sys

with open('/etc/bootc-ks/registration.json', encoding='utf-8') as file:
    calls = json.load(file)
for words in calls:
    sys.argv[:] = ['/usr/sbin/subscription-manager', *words]
    try:
        runpy.run_path(sys.argv[0], run_name='__main__')
    except SystemExit as end:
        # 64: the system is registered already.
        if end.code not in (None, 0, 64):
            raise
";

/// The changes for `registration`.
pub fn changes(registration: &Registration, facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    match facts.map(|facts| facts.has(PROGRAM)) {
        None => found.unknown("subscription-manager"),
        Some(true) => {}
        Some(false) => found.lack(
            Topic::Subscription,
            "the image has no subscription-manager to register with",
            "add subscription-manager to the image, or register in another way and leave rhsm out",
        ),
    }
    if registration.insights && facts.is_some_and(|facts| facts.has(PROGRAM) && !facts.has(INSIGHTS)) {
        let hint = "add insights-client to the image";
        found.note(Topic::Subscription, "the image has no insights-client: nothing is reported to Insights", hint);
    }
    let private = |content: String| Change::Write { path: WORDS.into(), content, private: true };
    let mut list = vec![private(format!("{STAND_IN}\n")), Change::write(SCRIPT, CALLS)];
    list.extend(once::changes(&Once {
        name: "register",
        description: "Register with Red Hat, as asked for at installation",
        until_gone: WORDS,
        command: format!("/usr/bin/python3 {SCRIPT}"),
        then: registration.insights.then(|| [INSIGHTS, "--register"].join(" ")),
    }));
    list
}

/// The words, by what stands for them.
pub fn secrets(registration: &Registration) -> BTreeMap<String, Secret> {
    BTreeMap::from([(STAND_IN.to_owned(), Secret::new(json!(calls(registration)).to_string()))])
}

/// How subscription-manager is called: settings that stay, then the registration.
fn calls(registration: &Registration) -> Vec<Vec<String>> {
    let proxy = registration.proxy.as_ref();
    let settings = [
        ("server.hostname", registration.server.clone()),
        ("rhsm.baseurl", registration.base_url.clone()),
        ("server.proxy_hostname", proxy.map(|proxy| proxy.host.clone())),
        ("server.proxy_port", proxy.and_then(|proxy| proxy.port).map(|port| port.to_string())),
        ("server.proxy_user", proxy.and_then(|proxy| proxy.user.clone())),
        ("server.proxy_password", proxy.and_then(|proxy| Some(proxy.password.as_ref()?.expose().to_owned()))),
    ];
    let settings: Vec<String> =
        settings.into_iter().filter_map(|(key, value)| Some(format!("--{key}={}", value?))).collect();
    let mut register = vec!["register".to_owned(), format!("--org={}", registration.organization.expose())];
    register.extend(registration.activation_keys.iter().map(|key| format!("--activationkey={}", key.expose())));
    let mut calls = Vec::new();
    if !settings.is_empty() {
        calls.push([vec!["config".to_owned()], settings].concat());
    }
    calls.push(register);
    calls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::SystemFacts;
    use crate::request::Proxy;

    fn registration() -> Registration {
        Registration {
            organization: Secret::new("org-hush"),
            activation_keys: vec![Secret::new("key-hush"), Secret::new("other\"hush")],
            proxy: Some(Proxy {
                host: "proxy.example".into(),
                port: Some(3128),
                user: Some("u".into()),
                password: Some(Secret::new("pw-hush")),
            }),
            server: None,
            base_url: None,
            insights: true,
        }
    }

    #[test]
    fn no_word_of_it_is_in_the_plan_or_on_a_command_line() {
        let list = changes(&registration(), None, &mut Findings::default());
        assert!(!serde_json::to_string(&list).unwrap().contains("hush"), "{list:?}");
        let secrets = secrets(&registration());
        let words: Vec<Vec<String>> = serde_json::from_str(secrets[STAND_IN].expose()).unwrap();
        assert_eq!(words[0][0], "config");
        assert!(words[0].contains(&"--server.proxy_password=pw-hush".to_owned()), "{words:?}");
        assert_eq!(words[1], ["register", "--org=org-hush", "--activationkey=key-hush", "--activationkey=other\"hush"]);
    }

    #[test]
    fn the_script_calls_what_is_there_once_for_each_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let tool =
            "import json, sys\nopen(sys.argv[0] + '.told', 'a').write(json.dumps(sys.argv[1:]) + '\\n')\nsys.exit(0)\n";
        std::fs::write(path("tool"), tool).unwrap();
        std::fs::write(path("words"), secrets(&registration())[STAND_IN].expose()).unwrap();
        let script = CALLS.replace(WORDS, &path("words")).replace(PROGRAM, &path("tool"));
        let status = std::process::Command::new("python3").args(["-c", &script]).status().unwrap();
        let told = std::fs::read_to_string(path("tool.told")).unwrap();
        assert!(status.success() && told.lines().count() == 2 && told.contains("key-hush"), "{told}");
    }

    #[test]
    fn an_image_without_the_tool_is_refused_by_name() {
        for (programs, fatal) in [(vec![], Some(true)), (vec![PROGRAM], Some(false)), (vec![PROGRAM, INSIGHTS], None)] {
            let programs = programs.into_iter().map(str::to_owned).collect();
            let facts = SystemFacts { programs, ..SystemFacts::default() };
            let mut found = Findings::default();
            changes(&registration(), Some(&facts), &mut found);
            assert_eq!(found.list().first().map(|one| one.fatal), fatal, "{found:?}");
        }
        let mut found = Findings::default();
        changes(&registration(), None, &mut found);
        assert!(found.doubt().unwrap().contains("subscription-manager"));
    }
}
