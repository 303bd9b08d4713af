//! The life of a machine.

use serde_json::json;

use super::*;

fn armed() -> Record {
    let mut record = Record::new("web", true);
    record.arm(100, false).unwrap();
    record
}

fn ask(record: &mut Record, now: u64) -> Answer {
    record.ask(now, || Ok::<_, ()>(format!("token-{now}"))).unwrap()
}

#[test]
fn one_arming_is_one_installation() {
    let mut record = armed();
    assert_eq!(ask(&mut record, 110), Answer::Install("token-110".to_owned()));
    record.fetch(150).unwrap();
    record.report(151, State::Installing, None).unwrap();
    record.report(200, State::Installed, None).unwrap();
    assert_eq!(record.state, State::Installed);
    for later in [201, 1000, 100_000] {
        assert_eq!(ask(&mut record, later), Answer::Local);
    }
    assert!(record.fetch(202).is_err(), "the kickstart is gone with the installation");
    assert!(record.may_report(250), "the log comes last");
    assert!(!record.may_report(200 + LOG_WITHIN + 1));
}

#[test]
fn no_machine_is_installed_that_is_not_armed() {
    let mut record = Record::new("x", false);
    assert_eq!(ask(&mut record, 1), Answer::Local);
    assert!(record.fetch(2).is_err());
    assert!(!record.may_report(2));
}

#[test]
fn firmware_may_ask_twice_but_not_for_ever() {
    let mut record = armed();
    let first = ask(&mut record, 110);
    assert_eq!(ask(&mut record, 110 + GRACE), first);
    assert_eq!(ask(&mut record, 110 + GRACE + 1), Answer::Local);
    assert_eq!(record.state, State::Unknown);
    assert!(record.remarks[0].text.contains("arm it again"));
    assert!(record.fetch(240).is_err(), "its token is gone");
}

#[test]
fn a_restart_in_the_middle_is_no_second_installation() {
    let mut record = armed();
    ask(&mut record, 110);
    record.fetch(120).unwrap();
    assert_eq!(ask(&mut record, 125), Answer::Local);
    assert_eq!(record.state, State::Installing);
    assert!(record.remarks[0].text.contains("restarted"));
}

#[test]
fn a_kickstart_may_be_fetched_again_by_the_same_installer() {
    let mut record = armed();
    ask(&mut record, 110);
    record.fetch(120).unwrap();
    record.fetch(121).unwrap();
    assert_eq!(record.since, 120);
}

#[test]
fn a_token_does_not_wait_for_ever() {
    let mut record = armed();
    ask(&mut record, 110);
    assert!(record.fetch(110 + FETCH_WITHIN + 1).is_err());
}

#[test]
fn an_end_is_an_end() {
    let mut record = armed();
    ask(&mut record, 110);
    record.report(120, State::Failed, Some(serde_json::json!({"message": "no disk"}))).unwrap();
    record.report(121, State::Failed, None).unwrap();
    assert_eq!(record.error.as_ref().unwrap()["message"], "no disk");
    assert!(record.report(122, State::Installed, None).is_err());
    assert_eq!(record.state, State::Failed);
}

#[test]
fn what_is_under_way_is_armed_again_only_by_force() {
    let mut record = armed();
    ask(&mut record, 110);
    assert!(record.arm(111, false).is_err());
    record.arm(112, true).unwrap();
    assert_ne!(ask(&mut record, 113), Answer::Install("token-110".to_owned()));
    assert!(record.disarm(114).is_err());
}

#[test]
fn remarks_do_not_pile_up() {
    let mut record = Record::new("x", false);
    for n in 0..100 {
        record.remark(n, format!("remark {n}"));
        record.remark(n, "again");
    }
    assert_eq!(record.remarks.len(), REMARKS);
    assert_eq!(record.remarks.iter().filter(|remark| remark.text == "again").count(), 1);
}

#[test]
fn events_are_progress() {
    let plan = format!("sha256:{}", "0".repeat(64));
    let mut record = armed();
    for event in [
        json!({"type": "started", "event": "started", "schema": 1, "plan": plan, "steps": 20}),
        // As the installer told it before every line had a type.
        json!({"event": "step-started", "step": 9, "steps": 20, "title": "import the image"}),
        json!({"type": "progress", "done": 5, "total": 10}),
        json!({"type": "warning", "message": "no signature is verified"}),
        json!({"type": "output", "line": "password is hunter2"}),
        // Of a newer installer.
        json!({"type": "disk-warmed", "message": "40 degrees"}),
    ] {
        record.event(130, &serde_json::from_value(event).unwrap());
    }
    assert_eq!(record.seen, Some(130));
    let progress = Progress {
        step: 9,
        steps: 20,
        title: "import the image".into(),
        done: 5,
        total: 10,
        warnings: 1,
        message: "no signature is verified".into(),
    };
    assert_eq!(record.progress, progress);
    assert!(!serde_json::to_string(&record).unwrap().contains("hunter2"));
}
