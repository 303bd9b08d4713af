//! The part of bootc-ks that is linked to libostree: one request on standard input, one answer.
//!
//! ```text
//! bootc-ks ── request (JSON) ──► bootc-ks-ostree ──► libostree
//!          ◄── answer (JSON) ───
//! ```
//!
//! `installer_core::deploy::ostree` is the other end of it, and has the types. Nothing is decided
//! here: what the requests do is in `repo`, `sysroot` and `labels`, one function for each.

mod labels;
mod repo;
mod sysroot;

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use installer_core::deploy::ostree::ANSWER_OPTION;
use installer_core::deploy::ostree::protocol::{Answer, PROTOCOL, Preamble, Request, Version, Work};

/// What could not be done, and why.
struct Failed {
    doing: &'static str,
    cause: String,
}

/// Says what was being done.
trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, Failed>;
}

impl<T, E: std::fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, doing: &'static str) -> Result<T, Failed> {
        self.map_err(|error| Failed { doing, cause: error.to_string() })
    }
}

/// The exit code for a call or a request that is not understood.
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["--version"] => writeln!(io::stdout(), "bootc-ks-ostree {}", env!("CARGO_PKG_VERSION")),
        [] => answer(&mut io::stdout()),
        [option, path] if option == ANSWER_OPTION => {
            OpenOptions::new().write(true).open(path).and_then(|mut file| answer(&mut file))
        }
        _ => Err(io::Error::other(format!("usage: bootc-ks-ostree [{ANSWER_OPTION} FILE] <REQUEST"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bootc-ks-ostree: {error}");
            ExitCode::from(MISUSED)
        }
    }
}

/// Reads the request, does it, and writes the answer.
fn answer(out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    let Preamble { protocol } = serde_json::from_slice(&text)?;
    let answer = if protocol == PROTOCOL {
        let request: Request = serde_json::from_slice(&text)?;
        done(request.work)
            .unwrap_or_else(|failed| Answer::Failed { doing: failed.doing.to_owned(), cause: failed.cause })
    } else {
        let cause = format!("it was asked in version {protocol} of the protocol, and speaks {PROTOCOL}");
        Answer::Failed { doing: "understanding bootc-ks".to_owned(), cause }
    };
    serde_json::to_writer(&mut *out, &answer)?;
    out.write_all(b"\n")?;
    out.flush()
}

fn done(work: Work) -> Result<Answer, Failed> {
    match work {
        Work::Version => Ok(Answer::Version(Version { protocol: PROTOCOL, libostree: libostree() })),
        Work::CreateRepo { repo } => repo::create(&repo).map(|()| Answer::Done),
        Work::Checkout { repo, commit, to } => repo::checkout(&repo, &commit, &to).map(|()| Answer::Done),
        Work::Initialise { root, stateroot } => sysroot::initialise(&root, &stateroot).map(|()| Answer::Done),
        Work::SetBootloaderBackend { root, backend } => {
            sysroot::set_bootloader_backend(&root, &backend).map(|()| Answer::Done)
        }
        Work::Deploy(job) => sysroot::deploy(&job).map(|directory| Answer::Deployed { directory }),
        Work::Label { policy_root, paths } => labels::labels(&policy_root, &paths).map(Answer::Labels),
    }
}

/// Year and number of the libostree that was loaded. It tells only whether it is new enough.
fn libostree() -> (u32, u32) {
    let last = |mut range: std::ops::Range<u32>, is: &dyn Fn(u32) -> bool| range.rfind(|n| is(*n)).unwrap_or(0);
    let year = last(2000..2200, &|year| ostree::check_version(year, 0));
    (year, last(0..100, &|number| ostree::check_version(year, number)))
}
