//! `bootc-ks netboot serve`: the HTTP half of network boot.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use installer_core::{Error, Stage};
use pxe::serve::server::{self, Options};

use super::client::STATE;
use crate::logging;

/// Serve boot scripts and kickstarts, and keep track of the machines that are installed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "DHCP (and TFTP, for BIOS) stays with dnsmasq or Kea: point it to URL/boot.ipxe for iPXE, and to \
    URL/shimx64.efi for UEFI HTTP boot, which wants port 80. A machine is installed when it is armed \
    ('bootc-ks netboot arm'), once; in every other state it boots from its disk.\n\n\
    Every client that reaches the server can read the page and the list of machines. Arming and reading logs wants \
    the token in STATE.admin, which only the owner of the state can read.\n\n\
    Exit codes: 0 ended by a signal; 2 a file is wrong; 3 the address or a file cannot be had; 4 another server \
    uses the state."
)]
pub struct Args {
    /// The directory that 'bootc-ks netboot build' made
    #[arg(long, value_name = "DIR")]
    environment: PathBuf,

    /// Which machine gets which kickstart; read again when it changes
    #[arg(long, value_name = "FILE")]
    machines: PathBuf,

    /// The directory of kickstarts; without this, the one of the machines' file
    #[arg(long, value_name = "DIR")]
    kickstarts: Option<PathBuf>,

    /// The address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:80")]
    listen: SocketAddr,

    /// How machines reach the server (`http://10.0.0.1`), where that is not how they did
    #[arg(long, value_name = "URL", value_parser = base_url)]
    url: Option<String>,

    /// The file that keeps what is known; made if it is not there
    #[arg(long, value_name = "FILE", default_value = STATE)]
    state: PathBuf,
}

/// Serves until it is told to end.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    logging::to_stderr("info");
    if args.state == Path::new(STATE) {
        let parent = args.state.parent().unwrap_or(Path::new("/"));
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent);
        made.map_err(|error| {
            Error::world(Stage::Request, format!("making {}", parent.display()))
                .because(error)
                .hint("give --state a file in a directory of yours")
        })?;
    }
    let kickstarts = match &args.kickstarts {
        Some(dir) => dir.clone(),
        None => args.machines.parent().filter(|dir| *dir != Path::new("")).unwrap_or(Path::new(".")).to_owned(),
    };
    let options = Options {
        environment: args.environment.clone(),
        machines: args.machines.clone(),
        kickstarts,
        listen: args.listen,
        url: args.url.clone(),
        state: args.state.clone(),
    };
    server::run(&options, |address| eprintln!("serving at http://{address}/ (end with Ctrl-C)"))?;
    Ok(ExitCode::SUCCESS)
}

/// `http://HOST[:PORT]`, and nothing behind it.
pub fn base_url(text: &str) -> anyhow::Result<String> {
    let url = url::Url::parse(text).with_context(|| format!("'{text}' is no URL such as http://10.0.0.1"))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if !matches!(url.scheme(), "http" | "https") || !bare || url.password().is_some() {
        anyhow::bail!("'{text}': wanted is http://HOST or http://HOST:PORT, with nothing behind it");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::base_url;

    #[test]
    fn a_base_is_a_host_and_a_port() {
        assert_eq!(base_url("http://10.0.0.1").unwrap(), "http://10.0.0.1");
        assert_eq!(base_url("http://[fd00::1]:8080/").unwrap(), "http://[fd00::1]:8080");
        for bad in ["10.0.0.1", "ftp://x", "http://x/y", "http://u:p@x", "http://x/?a", "http://x y", "http://x/#'"] {
            assert!(base_url(bad).is_err(), "{bad}");
        }
    }
}
