//! `bootc-ks fmt`, `flatten` and `convert` as they are called: what they write where, and the
//! exit codes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::cli::{bootc_ks, finish, run_in};

fn write(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).unwrap();
}

fn text(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

const LOOSE: &str = "lang   'cs_CZ'\nrootpw   --plaintext hunter2 # x\nbogus  line\n%post --erroron\n  echo  1\n%end\n";
const TIGHT: &str = "lang cs_CZ\nrootpw --plaintext hunter2 # x\nbogus  line\n\n%post --erroronfail\n  echo  1\n%end\n";

#[test]
fn files_are_formatted_in_place() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ks", LOOSE);
    fs::set_permissions(dir.path().join("a.ks"), fs::Permissions::from_mode(0o600)).unwrap();
    run_in(dir.path(), &["fmt", "a.ks"]).exits(0).says(&["a.ks:3: left as it is", "E101"]).keeps(&["hunter2"]);
    assert_eq!(text(dir.path(), "a.ks"), TIGHT);
    let mode = fs::metadata(dir.path().join("a.ks")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    run_in(dir.path(), &["fmt", "--check", "a.ks"]).exits(0);
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["a.ks"], "nothing is left behind");
}

#[test]
fn what_would_change_is_told() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "loose.ks", LOOSE);
    write(dir.path(), "tight.ks", TIGHT);
    let check = run_in(dir.path(), &["fmt", "--check", "loose.ks", "tight.ks"]).exits(1);
    assert_eq!(check.stdout, "loose.ks\n");
    let diff = run_in(dir.path(), &["fmt", "--diff", "loose.ks"]).exits(0).keeps(&["hunter2"]);
    assert!(diff.stdout.contains("-lang   'cs_CZ'\n") && diff.stdout.contains("+lang cs_CZ\n"), "{diff}");
    assert_eq!(text(dir.path(), "loose.ks"), LOOSE);
    run_in(dir.path(), &["fmt", "--check", "loose.ks", "none.ks"]).exits(2).says(&["none.ks"]);
}

#[test]
fn standard_input_goes_to_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ks", LOOSE);
    let file = fs::File::open(dir.path().join("a.ks")).unwrap();
    assert_eq!(finish(bootc_ks(dir.path()).args(["fmt", "-"]).stdin(file)).exits(0).stdout, TIGHT);
}

#[test]
fn scripts_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let script = "#!/bin/sh\nset  -e\necho   'x'\nreboot  \n";
    write(dir.path(), "x.sh", script);
    run_in(dir.path(), &["fmt", "x.sh"]).exits(2).says(&["x.sh is left alone"]);
    assert_eq!(text(dir.path(), "x.sh"), script);
}

#[test]
fn in_the_form_of_pykickstart() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ks", "keyboard us\nlang   'cs_CZ'\n");
    let out = run_in(dir.path(), &["fmt", "--as-pykickstart", "--syntax", "RHEL9", "a.ks"]).exits(0).stdout;
    assert!(out.contains("\nlang cs_CZ\n"), "{out}");
    write(dir.path(), "b.ks", "bogus\n");
    run_in(dir.path(), &["fmt", "--as-pykickstart", "b.ks"]).exits(2).says(&["b.ks:1: there is no command"]);
}

#[test]
fn included_files_are_pasted() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ks", "%include b.ks\n%pre\necho >/tmp/made\n%end\n%include /tmp/made-elsewhere\n");
    write(dir.path(), "b.ks", "rootpw hunter2\n");
    let broken = run_in(dir.path(), &["flatten", "a.ks"]).exits(2).says(&["a.ks:5", "made-elsewhere"]);
    assert_eq!(broken.stdout, "");
    write(dir.path(), "a.ks", "%include b.ks\n%pre\necho >/tmp/made-later\n%end\n%include /tmp/made-later\n");
    let expected = "# begin of b.ks, included by a.ks:1\nrootpw hunter2\n# end of b.ks\n\
                    %pre\necho >/tmp/made-later\n%end\n%include /tmp/made-later\n";
    assert_eq!(run_in(dir.path(), &["flatten", "a.ks"]).exits(0).stdout, expected);
    run_in(dir.path(), &["flatten", "a.ks", "-o", "flat.ks"]).exits(0).keeps(&["hunter2"]);
    assert_eq!(text(dir.path(), "flat.ks"), expected);
    let mode = fs::metadata(dir.path().join("flat.ks")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_kickstart_is_brought_to_another_version() {
    let dir = tempfile::tempdir().unwrap();
    let old = "#version=RHEL7\ninstall\nrootpw --plaintext hunter2\ntimezone Etc/UTC --isUtc\n";
    let new = "#version=RHEL10\nrootpw --plaintext hunter2\ntimezone Etc/UTC --utc\n";
    write(dir.path(), "a.ks", old);
    let out =
        run_in(dir.path(), &["convert", "--to", "RHEL10", "a.ks"]).exits(0).says(&["a.ks:2: converted: `install`"]);
    assert_eq!(out.stdout, new);
    let diff = run_in(dir.path(), &["convert", "--to", "RHEL10", "--diff", "a.ks"]).exits(0).keeps(&["hunter2"]);
    assert!(diff.stdout.contains("-install\n"), "{diff}");
    assert_eq!(text(dir.path(), "a.ks"), old);
    run_in(dir.path(), &["convert", "--to", "RHEL10", "a.ks", "-o", "b.ks"]).exits(0);
    assert_eq!(text(dir.path(), "b.ks"), new);
    let mode = fs::metadata(dir.path().join("b.ks")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    run_in(dir.path(), &["convert", "--to", "RHEL10", "--in-place", "a.ks"]).exits(0).keeps(&["hunter2"]);
    assert_eq!(text(dir.path(), "a.ks"), new);
}

#[test]
fn what_cannot_be_converted_is_named() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.ks", "text\nauth --enableldap --ldapserver=hunter2\n");
    let left = run_in(dir.path(), &["convert", "--to", "RHEL10", "a.ks"]).exits(2);
    let left = left.says(&["a.ks:2: left: `auth` is gone, and `--enableldap`", "lines that RHEL10 does not take: 1"]);
    assert!(left.stdout.contains("\n# bootc-ks convert: `auth` is gone"), "{left}");
    assert!(left.stdout.ends_with("\nauth --enableldap --ldapserver=hunter2\n"), "{left}");
    assert!(!left.stderr.contains("hunter2"), "{left}");
    run_in(dir.path(), &["convert", "--to", "RHEL6", "a.ks"]).exits(2).says(&["RHEL6"]);
}
