//! Anaconda's add-on: what of it needs no Anaconda, tested by pytest with Debian's own dasbus and
//! our wheel, and what tools/anaconda-image makes. The tests against the real Anaconda are started
//! by `anaconda-module/addon/tests/real/run`; here it is only said that they did not run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{need, output, python, run, source_root};

fn tests() -> PathBuf {
    source_root().join("anaconda-module/addon/tests")
}

/// Debian's Python, for its bindings to GObject, with the wheel and what the tests need.
fn with_the_wheel() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let python = environment();
        python::install_wheel(&python);
        python
    })
}

fn environment() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("addon-venv");
    let python = place.join("bin/python");
    if !place.join("complete").exists() {
        let _ = std::fs::remove_dir_all(&place);
        let venv = ["-m", "venv", "--system-site-packages"];
        run(Command::new("/usr/bin/python3").args(venv).arg(&place));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        run(Command::new(&python).args(pip).arg(tests().join("requirements.txt")));
        std::fs::write(place.join("complete"), "").unwrap();
    }
    python
}

#[test]
fn the_add_on_does_what_it_says() {
    let python = with_the_wheel();
    let work = tempfile::tempdir().unwrap();
    let mut pytest = Command::new(python);
    pytest.args(["-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider", "--basetemp"]);
    pytest.arg(work.path().join("tmp")).arg("--rootdir").arg(tests()).arg(tests()).current_dir(work.path());
    pytest.env("HOME", work.path()).env("PYTHONDONTWRITEBYTECODE", "1");
    for variable in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "DOCKER_CONFIG", "BOOTC_KS_REAL_ANACONDA"] {
        pytest.env_remove(variable);
    }
    let done = output(&mut pytest);
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success(), "{said}");
    let left_out = said.lines().find(|line| line.starts_with("NOT RUN: ")).expect("what did not run is said");
    println!("{left_out}");
}

#[test]
fn the_image_is_the_same_each_time_and_refuses_what_is_no_wheel() {
    need("cpio", "cpio");
    let wheel = python::wheel(with_the_wheel());
    let work = tempfile::tempdir().unwrap();
    let tool = source_root().join("tools/anaconda-image");
    let image = |name: &str, more: &[&str]| {
        let file = work.path().join(name);
        run(Command::new(&tool).arg("--wheel").arg(wheel).arg("--output").arg(&file).args(more));
        std::fs::read(file).unwrap()
    };
    let plain = image("a.img", &[]);
    assert_eq!(plain, image("b.img", &[]));
    image("c.img", &["--payload", "/bin/true"]);
    let names = |name: &str| {
        let list = "gzip -dc \"$0\" | cpio --quiet -it";
        run(Command::new("sh").args(["-c", list]).arg(work.path().join(name)))
    };
    let (without, with) = (names("a.img"), names("c.img"));
    for file in [
        "usr/share/anaconda/addons/org_bootc_ks/service/__main__.py",
        "usr/share/anaconda/addons/org_bootc_ks/gui/spokes/container_image.glade",
        "usr/share/anaconda/addons/bootc_ks/_native.abi3.so",
        "usr/share/anaconda/dbus/services/org.fedoraproject.Anaconda.Addons.BootcKs.service",
    ] {
        assert!(without.lines().any(|line| line == file), "{file} is not in\n{without}");
    }
    let payload = "usr/libexec/bootc-ks/bootc";
    assert!(!without.contains(payload), "the payload was not asked for");
    assert!(with.lines().any(|line| line == payload));
    let refused = output(Command::new(&tool).arg("--wheel").arg(&tool).args(["--output", "d.img"]).current_dir(&work));
    assert!(!refused.status.success() && !work.path().join("d.img").exists());
}
