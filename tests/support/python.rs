//! A Python environment with the packages that a test needs, and our own wheel in it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{need, ostree_program, run, source_root};

/// Variables of the running `cargo test` that would make the cargo under it build all anew.
fn is_of_the_outer_cargo(name: &str) -> bool {
    [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
        "CARGO_PRIMARY_",
        "CARGO_TARGET_TMPDIR",
        "RUSTC_BOOTSTRAP",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

/// The Python of an environment with what `requirements` lists. Made once for each list.
pub fn environment(requirements: &Path) -> PathBuf {
    let wanted = std::fs::read_to_string(requirements).expect("reading the requirements");
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-venv-{:016x}", hasher.finish()));
    let python = place.join("bin/python");
    if !place.join("complete").exists() {
        // In its place from the beginning: scripts name the interpreter by its path.
        let _ = std::fs::remove_dir_all(&place);
        run(Command::new(need("python3", "python3 python3-venv")).args(["-m", "venv"]).arg(&place));
        run(pip(&python).arg("-r").arg(requirements));
        std::fs::write(place.join("complete"), "").expect("marking the environment as complete");
    }
    python
}

fn pip(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    command
}

/// Puts our wheel into the environment of `python`, which has pip and maturin.
pub fn install_wheel(python: &Path) {
    run(pip(python).args(["--force-reinstall", "--no-deps"]).arg(wheel(python)));
}

/// The wheel of `anaconda-module`, unoptimised; built once, by the first environment that asks.
pub fn wheel(python: &Path) -> &'static Path {
    static WHEEL: OnceLock<PathBuf> = OnceLock::new();
    WHEEL.get_or_init(|| build_wheel(python))
}

fn build_wheel(python: &Path) -> PathBuf {
    let module = source_root().join("anaconda-module");
    let wheels = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheels");
    let _ = std::fs::remove_dir_all(&wheels);
    put_ostree_program(&module.join("python/bootc_ks/libexec"));
    let mut maturin = Command::new(python);
    maturin.args(["-m", "maturin", "build", "--locked", "--profile", "dev", "--interpreter"]).arg(python);
    maturin.args(["--features", "extension-module,as-in-workspace"]);
    maturin.arg("--out").arg(&wheels).current_dir(&module);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_of_the_outer_cargo) {
            maturin.env_remove(name);
        }
    }
    run(&mut maturin);
    let built: Vec<PathBuf> =
        std::fs::read_dir(&wheels).expect("listing the wheels").flatten().map(|entry| entry.path()).collect();
    let [wheel] = built.as_slice() else { panic!("not one wheel: {built:?}") };
    let name = wheel.file_name().unwrap_or_default().to_string_lossy();
    assert!(name.contains("-cp39-abi3-linux_"), "{name} is not for every Python from 3.9 on");
    wheel.clone()
}

/// What `make wheel` does before it calls maturin: the program that makes deployments becomes a
/// part of the package.
fn put_ostree_program(libexec: &Path) {
    let program = libexec.join("bootc-ks-ostree");
    std::fs::create_dir_all(libexec).expect("making the package's directory for programs");
    run(Command::new(need("strip", "binutils")).arg("-o").arg(&program).arg(ostree_program()));
}
