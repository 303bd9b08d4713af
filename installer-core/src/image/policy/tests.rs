use std::path::Path;

use super::*;
use crate::error::Kind;
use crate::units::Digest;

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

fn places(root: &Path) -> Places {
    Places { root: root.into(), home: Some(root.join("home")), ..Places::default() }
}

/// What a policy of `text` says of `reference`: the scope of the rule, or the error.
fn ask(text: &str, reference: &str) -> Result<PolicyFacts> {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "etc/containers/policy.json", text);
    Ok(admit(&places(root.path()), &reference.parse().unwrap())?.unwrap())
}

const ANY: &str = r#"[{"type":"insecureAcceptAnything"}]"#;
const NO: &str = r#"[{"type":"reject"}]"#;

#[test]
fn the_users_file_comes_first_and_none_is_needed() {
    let root = tempfile::tempdir().unwrap();
    let reference = "q.io/org/os:1".parse().unwrap();
    let places = places(root.path());
    assert_eq!(admit(&places, &reference).unwrap(), None);
    for (path, list, accepted) in [
        ("usr/share/containers/policy.json", ANY, true),
        ("etc/containers/policy.json", NO, false),
        ("home/.config/containers/policy.json", ANY, true),
    ] {
        write(root.path(), path, &format!("{{\"default\": {list}}}"));
        let outcome = admit(&places, &reference);
        assert_eq!(outcome.is_ok(), accepted, "{path}");
        let told = outcome.map_or_else(|error| error.to_string(), |rule| rule.unwrap().to_string());
        assert!(told.contains(path) && told.contains("the default of"), "{told}");
    }
    std::fs::remove_file(root.path().join("home/.config/containers/policy.json")).unwrap();
    std::fs::create_dir(root.path().join("home/.config/containers/policy.json")).unwrap();
    assert_eq!(admit(&places, &reference).unwrap_err().kind(), Kind::Refused);
}

#[test]
fn the_narrowest_rule_counts() {
    let digest = Digest::of(b"");
    // From the widest to the narrowest: each has to win over all before it.
    let scopes = [
        ("docker", "".to_owned()),
        ("docker", "*.io".into()),
        ("docker", "*.q.io".into()),
        ("docker", "a.q.io:5000".into()),
        ("docker", "a.q.io:5000/org".into()),
        ("docker", "a.q.io:5000/org/os".into()),
        ("docker", format!("a.q.io:5000/org/os@{digest}")),
    ];
    for narrowest in 0..scopes.len() {
        let rules: Vec<String> = scopes[..=narrowest]
            .iter()
            .enumerate()
            .map(|(at, (_, scope))| format!("\"{scope}\": {}", if at == narrowest { ANY } else { NO }))
            .collect();
        let text = format!("{{\"default\": {NO}, \"transports\": {{\"docker\": {{{}}}}}}}", rules.join(","));
        let rule = ask(&text, &format!("a.q.io:5000/org/os@{digest}")).unwrap();
        assert_eq!((rule.transport.as_deref(), rule.scope.as_deref()), (Some("docker"), Some(&*scopes[narrowest].1)));
    }
}

#[test]
fn names_are_whole_and_as_containers_tools_write_them() {
    let only = |transport: &str, scope: &str| {
        format!("{{\"default\": {NO}, \"transports\": {{\"{transport}\": {{\"{scope}\": {ANY}}}}}}}")
    };
    for (scope, reference, accepted) in [
        ("q.io/org/os:latest", "q.io/org/os", true),
        ("q.io/org/os:latest", "q.io/org/os:1", false),
        ("q.io/org", "q.io/organisation/os", false),
        ("q.io", "q.io:5000/org/os", false),
        ("*.q.io", "q.io/org/os", false),
        ("*.io", "q.io/org/os", true),
        ("*.io", "q.io:5000/org/os", true),
        ("docker.io/library/busybox", "docker.io/busybox:1", true),
        ("docker.io/library", "docker.io/library/busybox:1", true),
        ("q.io/org/", "q.io/org/os", false),
    ] {
        assert_eq!(ask(&only("docker", scope), reference).is_ok(), accepted, "{scope} for {reference}");
    }
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().canonicalize().unwrap().join("a/layout");
    std::fs::create_dir_all(&real).unwrap();
    std::os::unix::fs::symlink(&real, dir.path().join("link")).unwrap();
    let (real, above) = (real.display().to_string(), real.parent().unwrap().display().to_string());
    let link = dir.path().join("link").display().to_string();
    for (transport, scope, reference, accepted) in [
        ("oci", format!("{real}:t"), format!("oci:{link}:t"), true),
        ("oci", format!("{real}:t"), format!("oci:{link}:u"), false),
        ("oci", real.clone(), format!("oci:{link}:t"), true),
        ("oci", above.clone(), format!("oci:{real}"), true),
        ("oci", "/".into(), format!("oci:{real}"), false),
        ("oci", String::new(), format!("oci:{real}"), true),
        ("oci-archive", above.clone(), format!("oci:{real}"), false),
        ("oci-archive", above, format!("oci-archive:{real}"), true),
        ("docker", String::new(), format!("oci:{real}"), false),
    ] {
        assert_eq!(ask(&only(transport, &scope), &reference).is_ok(), accepted, "{transport} {scope} for {reference}");
    }
}

#[test]
fn what_wants_a_signature_or_forbids_is_refused() {
    for (list, part) in [
        (NO, "must not be used (reject"),
        (r#"[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/x"}]"#, "signatures cannot be verified yet (signedBy"),
        (r#"[{"type":"sigstoreSigned","keyPath":"/x","signedIdentity":{"type":"matchRepository"}}]"#, "sigstoreSigned"),
        (r#"[{"type":"insecureAcceptAnything"},{"type":"reject"}]"#, "must not be used"),
        (r#"[{"type":"insecureAcceptAnything"},{"type":"signedBy","keyType":"GPGKeys","keyData":"eA=="}]"#, "signedBy"),
    ] {
        let error = ask(&format!("{{\"default\": {list}}}"), "q.io/org/os").unwrap_err();
        assert_eq!(error.exit_code(), 4);
        assert!(error.to_string().contains(part) && error.remedy().is_some(), "{error}");
    }
}

#[test]
fn a_file_that_is_not_understood_forbids_all() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"default": null}"#,
        r#"{"default": []}"#,
        r#"{"default": {}}"#,
        r#"{"default": [null]}"#,
        r#"{"default": [{}]}"#,
        r#"{"default": [{"type": 1}]}"#,
        r#"{"default": [{"type": "insecureAcceptAnyThing"}]}"#,
        r#"{"default": [{"type": "insecureAcceptAnything", "x": 1}]}"#,
        r#"{"default": [{"type": "reject", "type": "insecureAcceptAnything"}]}"#,
        r#"{"default": [{"type": "insecureAcceptAnything"}], "default": [{"type": "insecureAcceptAnything"}]}"#,
        r#"{"default": [{"type": "insecureAcceptAnything"}], "Transports": {}}"#,
        r#"{"default": [{"type": "insecureAcceptAnything"}], "transports": null}"#,
        r#"{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": []}}"#,
        r#"{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {"a.io": []}}}"#,
        r#"{"default": [{"type": "insecureAcceptAnything"}], "transports": {"docker": {"": [{"type": "x"}]}}}"#,
        r#"{"default": [{"type": "insecureAcceptAnything"}]} x"#,
        r#"{"transports": {"docker": {"": [{"type": "insecureAcceptAnything"}]}}}"#,
        &format!("{{\"default\": {}", "[".repeat(100_000)),
    ] {
        let error = ask(text, "q.io/org/os").unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{text}");
        assert!(error.to_string().contains("etc/containers/policy.json"), "{error}");
    }
}
