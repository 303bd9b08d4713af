//! The Python package: its wheel is built by maturin, installed into a virtual environment and
//! tested there by pytest (`anaconda-module/tests`), beside the real pykickstart; mypy looks at
//! the types. Root, and a package index that pip can reach when the environment is made.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::mini_system::mini_system;
use crate::support::registry::Registry;
use crate::support::site::Site;
use crate::support::{need_root, needed_libraries, output, python, run, source_root};

const USER: &str = "installer";
const PASSWORD: &str = "s3cret-of-the-registry";

fn tests() -> PathBuf {
    source_root().join("anaconda-module/tests")
}

/// The Python that has the package.
fn with_the_wheel() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let python = python::environment(&tests().join("requirements.txt"));
        python::install_wheel(&python);
        python
    })
}

/// Runs `command`, which has to end well.
fn passes(command: &mut Command) -> String {
    let output = output(command);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    said
}

#[test]
fn the_package_does_what_it_says() {
    need_root();
    let python = with_the_wheel();
    let site = Site::with(mini_system());
    let registry = Registry::start_with_login(USER, PASSWORD);
    registry.push(&site.path("oci"), "mini", "org/mini:1");
    let work = tempfile::tempdir().expect("making a directory");
    let mut pytest = Command::new(python);
    pytest.args(["-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider", "-W", "error", "--basetemp"]);
    pytest.arg(work.path().join("tmp")).arg("--rootdir").arg(tests()).arg(tests()).current_dir(work.path());
    pytest
        .env("BOOTC_KS_SOURCE", source_root())
        .env("BOOTC_KS_COMMAND", env!("CARGO_BIN_EXE_bootc-ks"))
        .env("BOOTC_KS_SITE", site.dir.path())
        .env("BOOTC_KS_REGISTRY", registry.address())
        .env("BOOTC_KS_REGISTRY_USER", USER)
        .env("BOOTC_KS_REGISTRY_PASSWORD", PASSWORD)
        .env("HOME", work.path())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    for variable in ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "BOOTC_KS_LOG", "DOCKER_CONFIG"] {
        pytest.env_remove(variable);
    }
    let said = passes(&mut pytest);
    let last = said.trim_end().lines().last().unwrap_or_default();
    assert!(last.contains(" passed") && !last.contains("skipped"), "{said}");
}

/// The extension works without libostree; the program in the package needs it.
#[test]
fn the_extension_is_not_linked_to_libostree() {
    let script = "import bootc_ks, pathlib; print(pathlib.Path(bootc_ks.__file__).parent)";
    let package = PathBuf::from(passes(Command::new(with_the_wheel()).args(["-c", script])).trim_end());
    let entries = std::fs::read_dir(&package).expect("listing the package").flatten();
    let extension = entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "so"));
    let of = |file: &Path| needed_libraries(file).into_iter().any(|name| name.starts_with("libostree-"));
    assert!(!of(&extension.expect("finding the extension")), "the extension needs libostree");
    let program = package.join("libexec/bootc-ks-ostree");
    assert!(of(&program), "{} does not need libostree", program.display());
    assert!(passes(Command::new(program).arg("--version")).starts_with("bootc-ks-ostree "));
}

#[test]
fn its_types_hold() {
    let python = with_the_wheel();
    let cache = tempfile::tempdir().expect("making a directory");
    let package = source_root().join("anaconda-module/python/bootc_ks");
    let mypy = |module: &str| {
        let mut command = Command::new(python);
        command.args(["-m", module]).current_dir(cache.path()).env("MYPY_CACHE_DIR", cache.path());
        command
    };
    passes(mypy("mypy").args(["--strict"]).arg(package));
    // What users see: the tests use nearly all of it.
    passes(mypy("mypy").args(["--strict"]).arg(tests()).current_dir(tests()));
    passes(mypy("mypy.stubtest").arg("bootc_ks"));
}

/// What the wheel of the tests depends on is compiled once for all: `as-in-workspace` has the
/// features that the rest of the workspace turns on.
#[test]
fn the_wheel_shares_what_is_compiled() {
    let tree = |args: &[&str]| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(source_root()).args(["tree", "--locked", "--offline", "--no-dedupe", "--prefix", "none"]);
        let list = run(cargo.args(["--format", "{p} {f}"]).args(args));
        list.lines().map(str::to_owned).collect::<BTreeSet<String>>()
    };
    let features = "extension-module,as-in-workspace";
    let wheel = tree(&["-p", "anaconda-module", "--features", features, "-e", "normal,build"]);
    let all = tree(&["--workspace", "-e", "normal,build,dev"]);
    let its_own = |line: &&String| !line.starts_with("pyo3") && !line.starts_with("anaconda-module ");
    let again: Vec<&String> = wheel.difference(&all).filter(its_own).collect();
    assert!(again.is_empty() && wheel.len() > 100, "compiled again, with other features: {again:#?}");
}
