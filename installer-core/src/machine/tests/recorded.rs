//! The machines in `tests/machines`: whole, in the form that probe writes, and found by
//! what a kickstart says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::machine::*;
use crate::units::Bytes;

/// The recorded machines, by file name.
fn recorded() -> BTreeMap<String, Machine> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/machines");
    let mut machines = BTreeMap::new();
    for entry in fs::read_dir(&directory).expect("tests/machines is there") {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).unwrap();
            let machine: Machine =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let again = serde_json::to_string_pretty(&machine).unwrap() + "\n";
            assert_eq!(text, again, "{} is not in the form that probe writes", path.display());
            machines.insert(path.file_stem().unwrap().to_str().unwrap().to_owned(), machine);
        }
    }
    machines
}

#[test]
fn the_recorded_machines_are_whole() {
    let machines = recorded();
    assert!(machines.len() >= 10, "{:?}", machines.keys());
    for (file, machine) in &machines {
        assert_eq!(machine.schema, SCHEMA, "{file}");
        for disk in &machine.disks {
            assert_eq!(disk.path, format!("/dev/{}", disk.name), "{file}");
            assert!(disk.links.is_sorted() && disk.partitions.is_sorted_by_key(|partition| partition.number), "{file}");
            let mut end = Bytes(0);
            for partition in &disk.partitions {
                assert_eq!(Path::new(&partition.path), partition_path(&disk.path, partition.number), "{file}");
                assert!(partition.start.bytes() >= end, "{file}: {} overlaps", partition.name);
                end = partition.start.bytes() + partition.size;
                assert!(end <= disk.size, "{file}: {} does not fit", partition.name);
            }
        }
    }
}

fn found(machine: &Machine, spec: &str) -> Vec<String> {
    find_disk(machine, spec).iter().map(|disk| disk.name.clone()).collect()
}

#[test]
fn disks_are_found_by_what_a_kickstart_says() {
    let machine = &recorded()["server-sata-raid"];
    for (spec, names) in [
        ("sda", vec!["sda"]),
        ("/dev/sda", vec!["sda"]),
        ("sd[ac]", vec!["sda", "sdc"]),
        ("sd[!a-c]", vec!["sdd"]),
        ("sd?", vec!["sda", "sdb", "sdc", "sdd"]),
        ("sdb|sda|sdb", vec!["sdb", "sda"]),
        ("vda|sdc", vec!["sdc"]),
        ("/dev/disk/by-id/wwn-0x5000c500e1a2b3c4", vec!["sda"]),
        ("disk/by-id/wwn-0x5000c500e1a2b3c4", vec!["sda"]),
        ("disk/by-id/usb-*", vec!["sdd"]),
        ("disk/by-path/*-ata-2", vec!["sdb"]),
        ("LABEL=INSTALL", vec!["sdd"]),
        ("UUID=2027-01-15-09-30-00-00", vec!["sdd"]),
        ("LABEL=", vec![]),
        ("*", vec!["sda", "sdb", "sdc", "sdd"]),
        ("sda1", vec![]),
        ("sd", vec![]),
        ("nvme*", vec![]),
        ("", vec![]),
        ("sd[", vec![]),
    ] {
        assert_eq!(found(machine, spec), names, "{spec}");
    }
    assert_eq!(found(&recorded()["server-uefi-nvme"], "nvme*"), ["nvme0n1", "nvme1n1"]);
}

#[test]
fn partitions_are_found_by_name_uuid_and_label() {
    let machine = &recorded()["laptop-windows"];
    let esp = &machine.disks[0].partitions[0];
    let uuid = esp.uuid.as_deref().unwrap();
    let link = format!("{}-part1", machine.disks[0].links[0]);
    for spec in [
        "nvme0n1p1",
        "/dev/nvme0n1p1",
        &link,
        &format!("PARTUUID={uuid}"),
        &format!("disk/by-partuuid/{uuid}"),
        "LABEL=SYSTEM",
        "PARTLABEL=\"EFI system partition\"",
    ] {
        let found = find_partition(machine, spec);
        assert_eq!(found.iter().map(|(_, partition)| partition.number).collect::<Vec<_>>(), [1], "{spec}");
    }
    assert_eq!(find_partition(machine, "nvme0n1p*").len(), 4);
    assert!(find_partition(machine, "nvme0n1").is_empty());
}
