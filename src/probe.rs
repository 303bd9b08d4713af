//! `bootc-ks probe`: this machine.

use std::process::ExitCode;

use installer_core::machine::{self, Firmware, Machine};

/// Show this machine.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As JSON, which `plan --machine` reads
    #[arg(long)]
    json: bool,
}

/// Looks and tells.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let machine = machine::probe()?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&machine)?);
    } else {
        print!("{}", text(&machine));
    }
    Ok(ExitCode::SUCCESS)
}

fn text(machine: &Machine) -> String {
    let firmware = match machine.firmware {
        Firmware::Bios => "BIOS",
        Firmware::Uefi { secure_boot: true } => "UEFI, Secure Boot enforced",
        Firmware::Uefi { secure_boot: false } => "UEFI",
    };
    let mapper = if machine.kernel.device_mapper { "with device-mapper" } else { "without device-mapper" };
    let mut out = format!(
        "Machine:  {}, {firmware}, {} of memory\nKernel:   {}, {mapper}; mounts {}\n",
        machine.arch,
        machine.memory,
        machine.kernel.release,
        machine.kernel.filesystems.join(", ")
    );
    if machine.disks.is_empty() {
        out.push_str("Disks:    none\n");
    }
    for disk in &machine.disks {
        let what = installer_core::storage::select::describe(disk);
        out.push_str(&format!("\n{}  {}  {what}\n", disk.path, disk.size));
        for link in &disk.links {
            out.push_str(&format!("    {link}\n"));
        }
        if let Some(signature) = &disk.signature {
            out.push_str(&format!("    whole disk: {}\n", signature.kind));
        }
        if let Some(error) = &disk.unreadable {
            out.push_str(&format!("    what is on it could not be looked at: {error}\n"));
        }
        for partition in &disk.partitions {
            let kind = partition.signature.as_ref().map_or("-", |signature| signature.kind.as_str());
            let label = partition.label.as_deref().unwrap_or("");
            out.push_str(&format!("    {}  {:>9}  {kind:<12} {label}\n", partition.path, partition.size.to_string()));
        }
        for user in &disk.in_use {
            out.push_str(&format!("    in use: {} is {}\n", user.device, user.by));
        }
    }
    out
}
