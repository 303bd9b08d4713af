//! What is installed and packaged works: `make install`, completions, manual pages, the unit, the
//! Debian package in a fresh Debian, the RPM, the container's recipe, and the examples for
//! pre-commit and GitHub. The programs are those of this test run; nothing is compiled.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::packages::{self, Root, build, deb, installed, script};
use crate::support::{demo_image, need, need_root, output, run, source_root};

fn text(path: &str) -> String {
    fs::read_to_string(source_root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Where the files of a package are, without the compression of manual pages.
fn plain(listing: &str) -> BTreeSet<String> {
    let files = listing.lines().filter(|path| !path.ends_with('/') && !path.contains("/doc/bootc-ks"));
    files.map(|path| path.trim_start_matches(['.', '/']).trim_end_matches(".gz").to_owned()).collect()
}

#[test]
fn make_install_brings_everything() {
    let prefix = installed();
    let files = packages::files(prefix.path());
    for file in [
        "bin/bootc-ks",
        "lib/systemd/system/bootc-ks-netboot.service",
        "libexec/bootc-ks/bootc-ks-ostree",
        "share/bash-completion/completions/bootc-ks",
        "share/fish/vendor_completions.d/bootc-ks.fish",
        "share/man/man1/bootc-ks.1",
        "share/man/man1/bootc-ks-iso-build.1",
        "share/zsh/site-functions/_bootc-ks",
    ] {
        assert!(files.iter().any(|installed| installed == file), "no {file} in {files:#?}");
    }
    let version = run(Command::new(prefix.path().join("bin/bootc-ks")).arg("--version"));
    assert_eq!(version, format!("bootc-ks {}\n", env!("CARGO_PKG_VERSION")));
    completions(prefix.path());
    manual_pages(prefix.path());
    unit(prefix.path());
}

/// Each shell loads its script from where it was installed, and completes with it.
fn completions(prefix: &Path) {
    let share = prefix.join("share");
    let complete = "source \"$1\"; shift; function=$(complete -p bootc-ks | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
        COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \"$function\" bootc-ks \"${!#}\" \"${COMP_WORDS[-2]}\"; \
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let bash = |words: &[&str]| {
        let mut bash = Command::new(need("bash", "bash"));
        bash.args(["--norc", "-c", complete, "bash"]).arg(share.join("bash-completion/completions/bootc-ks"));
        run(bash.args(words))
    };
    assert_eq!(bash(&["bootc-ks", "che"]), "check\n");
    assert_eq!(bash(&["bootc-ks", "iso", "build", "--embed"]), "--embed-image\n");
    assert_eq!(bash(&["bootc-ks", "install", "to-filesystem", "--source"]), "--source-imgref\n");

    let mut fish = Command::new(need("fish", "fish"));
    let home = tempfile::tempdir().unwrap();
    // It looks at the scripts of programs alone that are in PATH.
    let path = format!("{}:{}", prefix.join("bin").display(), std::env::var("PATH").unwrap_or_default());
    fish.env("HOME", home.path()).env("XDG_DATA_DIRS", &share).env("PATH", path);
    let offered = run(fish.args(["-c", "complete -C 'bootc-ks netboot '"]));
    assert!(offered.lines().any(|line| line.starts_with("serve\t")), "{offered}");

    let zsh = "fpath=(\"$1\" $fpath); autoload -Uz compinit; compinit -D -u; autoload -Uz +X $_comps[bootc-ks]; \
        print $_comps[bootc-ks]";
    let mut command = Command::new(need("zsh", "zsh"));
    command.args(["-fc", zsh, "zsh"]).arg(share.join("zsh/site-functions"));
    assert_eq!(run(&mut command), "_bootc-ks\n");

    for script in ["bash", "zsh", "fish"] {
        let text = run(Command::new(prefix.join("bin/bootc-ks")).args(["completions", script]));
        for hidden in ["supervise", "fail-at", "fail-by", "boot-words"] {
            assert!(!text.contains(hidden), "{script}: {hidden} is offered, which is hidden");
        }
    }
}

fn manual_pages(prefix: &Path) {
    let pages = fs::read_dir(prefix.join("share/man/man1")).unwrap().map(|entry| entry.unwrap().path());
    let pages: Vec<PathBuf> = pages.collect();
    let mut groff = Command::new(need("groff", "groff-base"));
    groff.args(["-man", "-Tutf8", "-K", "utf8", "-ww", "-z"]).args(&pages);
    let said = output(&mut groff);
    let warnings = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && warnings.is_empty(), "{warnings}");
}

/// systemd takes the unit, and the command takes what the unit starts it with.
fn unit(prefix: &Path) {
    let unit = prefix.join("lib/systemd/system/bootc-ks-netboot.service");
    let mut verify = Command::new(need("systemd-analyze", "systemd"));
    let said = output(verify.args(["verify", "--man=no", "--recursive-errors=no"]).arg(&unit));
    let warnings = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && !warnings.contains("bootc-ks-netboot"), "{warnings}");

    let text = fs::read_to_string(&unit).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert!(line.starts_with(&format!("{}/bin/bootc-ks ", prefix.display())), "{line}");
    let mut words = line.split_whitespace();
    let said = output(Command::new(words.next().unwrap()).args(words));
    let message = String::from_utf8_lossy(&said.stderr);
    assert!(message.contains("/srv/bootc-ks/environment") && !message.contains("Usage:"), "{message}");
}

/// In a Debian where nothing was prepared for it, the package brings or names all that is needed
/// to check, to plan and to install.
#[test]
fn the_debian_package_installs_a_machine() {
    need_root();
    let deb = deb();
    let recommended = packages::field(deb, "Recommends");
    let root = Root::fresh();
    let layout = demo_image();
    fs::copy(deb, root.path("root/bootc-ks.deb")).unwrap();
    fs::write(root.path("root/demo.ks"), filled_in()).unwrap();
    fs::copy(source_root().join("tests/kickstarts/wrong/press.ks"), root.path("root/press.ks")).unwrap();
    let inside = |program: &[&str]| root.run(&layout, program);
    // There is no network: apt has to find all that the package depends on among what was
    // downloaded for the root, so a dependency that is new fails here until it is listed there.
    let apt = [
        "apt-get",
        "install",
        "--yes",
        "--no-install-recommends",
        "-o",
        "DPkg::Options::=--force-unsafe-io",
        "/root/bootc-ks.deb",
    ];
    let recommended: Vec<&str> = recommended.iter().map(String::as_str).collect();
    inside(&[&apt[..], &recommended].concat());

    assert_eq!(inside(&["bootc-ks", "check", "/root/demo.ks"]), "/root/demo.ks: good (F44)\n");
    let onto = ["--image", "oci:/media:demo", "--disk-image", "/root/disk.img", "--size", "6G"];
    let plan = inside(&[&["bootc-ks", "plan", "/root/demo.ks"], &onto[..]].concat());
    assert!(plan.contains("create the disk image /root/disk.img"), "{plan}");
    let install = inside(&[&["bootc-ks", "install", "/root/demo.ks", "--yes"], &onto[..]].concat());
    assert!(install.contains("Installed on /root/disk.img"), "{install}");
    let table = run(Command::new(need("sfdisk", "fdisk")).arg("--dump").arg(root.path("root/disk.img")));
    assert_eq!(table.lines().filter(|line| line.contains("type=")).count(), 4, "{table}");
    // And it leaves again, but for the log of the installation.
    inside(&["apt-get", "purge", "--yes", "bootc-ks"]);
    let left = run(Command::new("find").arg(root.path("usr")).args(["-name", "*bootc-ks*"]));
    assert_eq!(left, "");
}

/// The Debian package and the RPM have the files of `make install`.
#[test]
fn packages_agree_on_the_files() {
    let prefix = installed();
    let wanted = |zsh: &str| -> BTreeSet<String> {
        let files = packages::files(prefix.path()).into_iter().map(|file| format!("usr/{file}"));
        files.map(|file| file.replace("zsh/site-functions", zsh)).collect()
    };
    let list = "dpkg-deb --fsys-tarfile \"$1\" | tar --list";
    let listing = run(Command::new(need("bash", "bash")).args(["-ec", list, "bash"]).arg(deb()));
    assert_eq!(plain(&listing), wanted("zsh/vendor-completions"));
    assert!(packages::field(deb(), "Depends").iter().any(|name| name == "libostree-1-1"));

    need("rpmbuild", "rpm");
    let output = tempfile::tempdir_in(build()).unwrap();
    let made =
        run(script("packaging/rpm").arg(build()).arg(output.path()).args(["--define", "_binary_payload w1.gzdio"]));
    let rpm = |name: &str, what: &str| {
        let file = made.lines().find(|path| path.rsplit('/').next().unwrap().starts_with(name));
        let file = file.unwrap_or_else(|| panic!("no {name} in {made}"));
        run(Command::new("rpm").args(["--query", "--package", "--nosignature", what]).arg(file))
    };
    let own = format!("bootc-ks-{}", env!("CARGO_PKG_VERSION"));
    let mut files = plain(&rpm(&own, "--list"));
    files.retain(|file| !file.contains("licenses/") && !file.contains(".build-id") && file != "usr/libexec/bootc-ks");
    assert_eq!(files, wanted("zsh/site-functions"));
    assert!(rpm(&own, "--requires").contains("libostree-1.so.1"));
    assert!(rpm("anaconda-addon-bootc-ks", "--list").contains("/anaconda/addons/org_bootc_ks/__init__.py"));
    assert!(rpm("anaconda-payload-bootc-ks", "--list").contains("/usr/libexec/bootc-ks/bootc\n"));
}

/// No program that builds containers is needed here: every instruction is one that exists, its
/// shell lines are shell, what it copies is there, and it installs what tools/setup names.
#[test]
fn the_containerfile_can_be_read() {
    let known = ["FROM", "RUN", "COPY", "WORKDIR", "ENTRYPOINT", "CMD", "ENV", "ARG", "LABEL", "USER", "EXPOSE"];
    let joined = text("packaging/Containerfile").replace("\\\n", " ");
    let lines: Vec<(&str, &str)> = joined
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap_or_else(|| panic!("no argument: {line}")))
        .collect();
    assert_eq!(lines[0].0, "FROM");
    let mut stages = BTreeSet::new();
    for (instruction, rest) in &lines {
        assert!(known.contains(instruction), "{instruction}");
        match *instruction {
            "FROM" => stages.extend(rest.split_once(" AS ").map(|(_, name)| name)),
            "RUN" => {
                run(Command::new("sh").args(["-n", "-c", rest]));
            }
            "COPY" => match rest.strip_prefix("--from=") {
                Some(rest) => assert!(stages.contains(rest.split(' ').next().unwrap()), "{rest}"),
                None => assert!(source_root().join(rest.split(' ').next().unwrap()).exists(), "{rest}"),
            },
            "ENTRYPOINT" | "CMD" => assert!(serde_json::from_str::<Vec<String>>(rest).is_ok(), "{rest}"),
            _ => {}
        }
    }
    let setup = text("tools/setup");
    let build = setup.lines().find_map(|line| line.strip_prefix("build=(")).unwrap().trim_end_matches(')');
    for package in build.split_whitespace().filter(|package| package.ends_with("-dev")) {
        assert!(joined.contains(package), "what it builds with lacks {package}");
    }
    for package in packages::field(deb(), "Depends").iter().filter(|name| name.contains("ostree")) {
        assert!(joined.contains(package.as_str()), "what it runs with lacks {package}");
    }
    let toolchain = text("rust-toolchain.toml");
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = \"")).unwrap().trim_end_matches('"');
    assert!(joined.contains(&format!("rust:{}-", channel.trim_end_matches(".0"))), "not the compiler of {channel}");
}

/// A YAML file of this repository, as JSON.
fn yaml(path: &str) -> Value {
    let code = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1])), default=str))";
    // Debian's own Python, which has Debian's modules.
    let mut python = Command::new("/usr/bin/python3");
    let said = output(python.args(["-c", code]).arg(source_root().join(path)));
    let error = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{path} (python3-yaml is needed; run tools/setup): {error}");
    serde_json::from_slice(&said.stdout).unwrap()
}

/// The example, with a key that is not the documentation's.
fn filled_in() -> String {
    let text = fs::read_to_string(source_root().join("tests/kickstarts/demo.ks")).unwrap();
    let key = "AAAAC3NzaC1lZDI1NTE5AAAAIEFkbWluLS0tQWRtaW4tLS1BZG1pbi0tLUFkbWluLS0t";
    let lines = text.lines().map(|line| match line.split_once("ssh-ed25519 ") {
        Some((before, _)) => format!("{before}ssh-ed25519 {key} admin@example\"\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// A directory with a kickstart that has nothing wrong with it.
fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("kickstarts")).unwrap();
    let file = dir.path().join("kickstarts/site.ks");
    fs::write(&file, filled_in()).unwrap();
    run(Command::new(env!("CARGO_BIN_EXE_bootc-ks")).arg("fmt").arg(file));
    dir
}

/// Whether `line`, a shell's, ends well in `dir`, and what it prints.
fn shell(dir: &Path, line: &str) -> (bool, String) {
    let path = format!("{}:{}", build().display(), std::env::var("PATH").unwrap_or_default());
    let said = output(Command::new("sh").args(["-ec", line]).current_dir(dir).env("PATH", path));
    let text = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    assert!(!text.contains("Usage:"), "{line}: {text}");
    (said.status.success(), text)
}

#[test]
fn the_workflow_for_github_checks_kickstarts() {
    let workflow = yaml("docs/examples/github-workflow.yml");
    let steps = workflow["jobs"]["check"]["steps"].as_array().unwrap();
    let lines: Vec<&str> =
        steps.iter().filter_map(|step| step["run"].as_str()).filter(|line| line.starts_with("bootc-ks ")).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let dir = repository();
    for line in &lines {
        let (good, said) = shell(dir.path(), line);
        assert!(good, "{line}: {said}");
    }
    fs::write(dir.path().join("kickstarts/wrong.ks"), "timezone   Europe/Prague --isUtc\n").unwrap();
    for line in &lines {
        let (good, said) = shell(dir.path(), line);
        assert!(!good, "{line} passes a wrong file: {said}");
    }
    assert!(shell(dir.path(), lines[0]).1.contains("::error file=kickstarts/wrong.ks"));
}

#[test]
fn the_hooks_for_pre_commit_check_kickstarts() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let guide = text("docs/check.md");
    for hook in hooks.as_array().unwrap() {
        for key in ["id", "name", "entry", "language", "files"] {
            assert!(hook[key].is_string(), "no {key} in {hook}");
        }
        assert!(guide.contains(&format!("- id: {}\n", hook["id"].as_str().unwrap())), "docs/check.md lacks {hook}");
        let dir = repository();
        let line = format!("{} kickstarts/site.ks", hook["entry"].as_str().unwrap());
        let (good, said) = shell(dir.path(), &line);
        assert!(good, "{line}: {said}");
        // pre-commit fails a hook that changes files, too.
        let file = dir.path().join("kickstarts/site.ks");
        fs::write(&file, "timezone   Europe/Prague --isUtc\n").unwrap();
        let (good, said) = shell(dir.path(), &line);
        let changed = !fs::read_to_string(&file).unwrap().contains("timezone   ");
        assert!(!good || changed, "{line} passes a wrong file: {said}");
    }
}
