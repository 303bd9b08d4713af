//! `bootc-ks netboot arm`: the one way to an installation over the network.

use std::path::PathBuf;
use std::process::ExitCode;

use super::client::{Client, STATE, segment};

/// Let machines be installed at their next boot from the network.
#[derive(Debug, clap::Args)]
#[command(after_help = "A machine that is armed is installed once: its disk is overwritten as its kickstart says. \
    A server has to be running. The first machine that cannot be armed ends the command.\n\n\
    Exit codes: 0 done; 2 there is no such machine, or its kickstart is wrong; 3 no server answers; \
    4 it is being installed at this moment.")]
pub struct Args {
    /// Names of machines.toml, network addresses, UUIDs or serial numbers
    #[arg(value_name = "MACHINE", required = true)]
    machines: Vec<String>,

    /// Even while it is being installed
    #[arg(long)]
    force: bool,

    /// Take the permission back instead
    #[arg(long, conflicts_with = "force")]
    disarm: bool,

    /// The file of the running server
    #[arg(long, value_name = "FILE", default_value = STATE)]
    state: PathBuf,
}

/// Arms each of them.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let client = Client::new(&args.state)?;
    for machine in &args.machines {
        let id = segment(machine);
        let answer = match (args.disarm, args.force) {
            (true, _) => client.post(&format!("/v1/machines/{id}/disarm"))?,
            (false, force) => client.post(&format!("/v1/machines/{id}/arm?force={force}"))?,
        };
        let machine = &answer["machine"];
        let words = if args.disarm { "boots from its disk" } else { "is installed at its next boot from the network" };
        eprintln!("{} {words}", machine["id"].as_str().unwrap_or_default());
    }
    Ok(ExitCode::SUCCESS)
}
