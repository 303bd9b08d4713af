//! The one door to libostree: the program `bootc-ks-ostree`, run once for each piece of work.
//!
//! libostree brings sixty libraries along, which cost ten milliseconds to load and are not on
//! every machine. Only a deployment needs them, so only that program is linked to them; parsing,
//! planning, and serving installers work without. It also keeps libselinux out of this process,
//! where loading two policies at once would free the same memory twice.

pub mod protocol;

use std::io::{self, Read, Seek};
use std::path::Path;

use crate::error::{Context, Error, Result, Stage};
use crate::host::{Host, MemoryFile, ProgramError};
use crate::program::Program;
use crate::units::Secret;
use protocol::{Answer, Deploy, PROTOCOL, Request, Version, Work};

pub use crate::program::OSTREE_PROGRAM as PROGRAM;

/// Its option that names the file for the answer.
pub const ANSWER_OPTION: &str = "--answer";

/// The program that is here, with its libostree; an error if there is none, or if it does not run.
pub fn version(host: &dyn Host) -> Result<Version> {
    let stage = Stage::Plan;
    let version = match run(host, &Work::Version) {
        Ok(Answer::Version(version)) if version.protocol == PROTOCOL => version,
        Ok(_) => {
            return Err(Error::world(stage, format!("the {PROGRAM} here is not of this version of bootc-ks"))
                .hint("install both programs from one build"));
        }
        Err(error) => return Err(unusable(stage, error)),
    };
    tracing::debug!(libostree = ?version.libostree, "found");
    Ok(version)
}

/// Why the program cannot be used, with what to do.
fn unusable(stage: Stage, error: Failure) -> Error {
    match error {
        Failure::Program(ProgramError::Missing { .. }) => {
            Error::world(stage, format!("{PROGRAM} is missing here, the part of bootc-ks that makes deployments")).hint(
                format!(
                    "put it beside this program or into /usr/libexec/bootc-ks, or name its directory in {}",
                    crate::host::LIBEXEC_VARIABLE
                ),
            )
        }
        Failure::Program(error) => Error::world(stage, format!("{PROGRAM} does not run here")).because(error).hint(
            "it needs libostree 2022.6 or later: install the package libostree-1-1 (Debian's name; Fedora's is \
             ostree-libs)",
        ),
        Failure::Io(error) => Error::world(stage, format!("speaking with {PROGRAM}")).because(error),
    }
}

/// Makes the bare repository `repo`.
pub fn create_repo(host: &dyn Host, stage: Stage, repo: &Path) -> Result<()> {
    done(host, stage, &Work::CreateRepo { repo: repo.to_owned() })
}

/// Checks `commit` out of `repo` into the new directory `to`, as hard links.
pub fn checkout(host: &dyn Host, stage: Stage, repo: &Path, commit: &str, to: &Path) -> Result<()> {
    done(host, stage, &Work::Checkout { repo: repo.to_owned(), commit: commit.to_owned(), to: to.to_owned() })
}

/// Makes an empty system root at `root` with the stateroot `stateroot`.
pub fn initialise(host: &dyn Host, root: &Path, stateroot: &str) -> Result<()> {
    done(host, Stage::Deploy, &Work::Initialise { root: root.to_owned(), stateroot: stateroot.to_owned() })
}

/// Sets which boot menu libostree rewrites at each deployment.
pub fn set_bootloader_backend(host: &dyn Host, root: &Path, backend: &str) -> Result<()> {
    let work = Work::SetBootloaderBackend { root: root.to_owned(), backend: backend.to_owned() };
    done(host, Stage::Bootloader, &work)
}

/// Deploys; the deployment's directory, from the system root.
pub fn deploy(host: &dyn Host, job: &Deploy) -> Result<String> {
    match ask(host, Stage::Deploy, &Work::Deploy(job.clone()))? {
        Answer::Deployed { directory } => Ok(directory),
        other => Err(unexpected(Stage::Deploy, &other)),
    }
}

/// The labels that the policy below `policy_root` has for `paths`, in their order.
pub fn labels(
    host: &dyn Host,
    stage: Stage,
    policy_root: &Path,
    paths: Vec<(String, u32)>,
) -> Result<Vec<Option<String>>> {
    let count = paths.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    match ask(host, stage, &Work::Label { policy_root: policy_root.to_owned(), paths })? {
        Answer::Labels(labels) if labels.len() == count => Ok(labels),
        other => Err(unexpected(stage, &other)),
    }
}

fn done(host: &dyn Host, stage: Stage, work: &Work) -> Result<()> {
    match ask(host, stage, work)? {
        Answer::Done => Ok(()),
        other => Err(unexpected(stage, &other)),
    }
}

fn unexpected(stage: Stage, answer: &Answer) -> Error {
    let text = format!("{answer:?}").chars().take(80).collect::<String>();
    Error::failed(stage, format!("{PROGRAM} gave the answer to another question: {text}"))
}

/// Has `work` done. What libostree says no to becomes an error with its words.
fn ask(host: &dyn Host, stage: Stage, work: &Work) -> Result<Answer> {
    match run(host, work) {
        Ok(Answer::Failed { doing, cause }) => Err(Error::failed(stage, doing).because(io::Error::other(cause))),
        Ok(answer) => Ok(answer),
        Err(Failure::Program(error)) => Err(error).doing(stage, title(work)),
        Err(Failure::Io(error)) => Err(error).doing(stage, title(work)),
    }
}

/// What is being done, where the program itself could not say it.
fn title(work: &Work) -> &'static str {
    match work {
        Work::Version => "asking for libostree's version",
        Work::CreateRepo { .. } => "making an OSTree repository",
        Work::Checkout { .. } => "checking a commit out",
        Work::Initialise { .. } => "making the OSTree system root",
        Work::SetBootloaderBackend { .. } => "setting sysroot.bootloader",
        Work::Deploy(_) => "deploying the image",
        Work::Label { .. } => "asking for SELinux labels",
    }
}

/// Why there is no answer.
enum Failure {
    Program(ProgramError),
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

/// Runs the program. The answer goes into a file of memory, since what a program writes to its
/// standard output is logged line by line, together with libostree's warnings.
fn run(host: &dyn Host, work: &Work) -> std::result::Result<Answer, Failure> {
    match work {
        Work::Label { paths, .. } => tracing::debug!(paths = paths.len(), "asking for labels"),
        work => tracing::debug!(?work, "asking"),
    }
    let request = Request { protocol: PROTOCOL, work: work.clone() };
    let text = serde_json::to_string(&request).map_err(io::Error::other)?;
    let MemoryFile { mut file, path } = MemoryFile::new("answer", b"")?;
    let program = Program { stdin: Some(Secret::new(text)), ..Program::new(PROGRAM) }
        .args([ANSWER_OPTION.to_owned(), path])
        // It would freeze /boot for a moment to write it out, and who is killed in that moment leaves it
        // frozen. Everything is written out when it is unmounted, at the end.
        .env("OSTREE_SYSROOT_OPTS", "skip-sync");
    host.run(&program, &mut |_| ()).map_err(Failure::Program)?;
    let mut answer = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut answer)?;
    Ok(serde_json::from_slice(&answer).map_err(io::Error::other)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Real;
    use crate::host::recording::Recording;

    /// A host on which the program is a shell script.
    struct Scripted(&'static str);

    impl Host for Scripted {
        fn run(&self, program: &Program, line: &mut dyn FnMut(&str)) -> std::result::Result<(), ProgramError> {
            assert_eq!(program.name, PROGRAM);
            let mut shell = Program::new("sh").args(["-c", self.0, "sh"]).args(program.args.clone());
            shell.stdin = program.stdin.clone();
            Real.run(&shell, line)
        }

        fn mount(&self, mount: &crate::host::Mount) -> io::Result<()> {
            Real.mount(mount)
        }

        fn unmount(&self, target: &Path) -> io::Result<()> {
            Real.unmount(target)
        }

        fn uninterrupted(&self) -> &dyn Host {
            self
        }
    }

    #[test]
    fn the_answer_comes_by_memory_and_warnings_do_not_disturb_it() {
        let host = Scripted(r#"cat >/dev/null; echo warning >&2; echo '{"labels":["a",null]}' >"$2""#);
        let labels = labels(&host, Stage::Image, Path::new("/p"), vec![("/a".into(), 0), ("/b".into(), 0)]).unwrap();
        assert_eq!(labels, [Some("a".to_owned()), None]);
        let host = Scripted(r#"grep -q '{"protocol":1,"work":"version"}' && echo '"done"' >"$2""#);
        let error = version(&host).unwrap_err();
        assert!(error.exit_code() == 3 && error.to_string().contains("not of this version"), "{error}");
    }

    #[test]
    fn what_libostree_says_no_to_keeps_its_stage_and_its_words() {
        let host = Scripted(r#"echo '{"failed":{"doing":"writing the boot entry","cause":"no room"}}' >"$2""#);
        let error = initialise(&host, Path::new("/r"), "default").unwrap_err();
        assert_eq!((error.stage(), error.to_string().as_str()), (Stage::Deploy, "writing the boot entry: no room"));
    }

    #[test]
    fn a_program_that_does_not_run_is_what_the_machine_lacks() {
        let host = Scripted("echo 'error while loading shared libraries: libostree-1.so.1' >&2; exit 127");
        let error = version(&host).unwrap_err();
        assert!(error.exit_code() == 3 && error.to_string().contains("libostree-1.so.1"), "{error}");
        assert!(error.remedy().unwrap().to_string().contains("libostree-1-1"));
        // What answers nothing at all is no answer either.
        assert_eq!(version(&Recording::new()).unwrap_err().exit_code(), 3);
    }
}
