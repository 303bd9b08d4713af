//! What kickstarts become.

use kickstart_parser::{ParseOptions, Syntax, parse};

use super::*;
use crate::request::{Clear, Layout, Purpose, RootAccess, Scheme};
use crate::units::MountPoint;

fn read(text: &str) -> (Request, Vec<String>) {
    read_as(Syntax::default(), text)
}

fn read_as(syntax: Syntax, text: &str) -> (Request, Vec<String>) {
    let parsed = parse(text, "site.ks", &ParseOptions { syntax: Some(syntax), ..ParseOptions::default() });
    let (request, found) = from_kickstart(&parsed.kickstart, &parsed.sources);
    (request, found.into_iter().map(|d| format!("{} {}", d.code, d.message)).collect())
}

#[test]
fn the_example_of_image_mode_is_understood() {
    let text = include_str!("../../../../tests/kickstarts/image-mode.ks");
    let (request, found) = read(text);
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(request.image.as_deref(), Some("quay.io/myimage:latest"));
    assert_eq!(request.disks.clear, Clear::All);
    assert_eq!(request.layout, Layout::Auto { scheme: Scheme::Lvm, filesystem: None, swap: true, boot: true });
    assert_eq!(request.end, EndAction::Reboot);
    assert_eq!(request.system.users[0].groups, [("wheel".to_owned(), None)]);
    assert_eq!(request.system.ssh_keys.len(), 1);
    assert_eq!(request.system.root, RootAccess::Locked);
}

#[test]
fn anacondas_newer_command_names_the_image_as_well() {
    let (request, found) = read("bootc --source-imgref=registry:q.io/a/b:1");
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(request.image.as_deref(), Some("registry:q.io/a/b:1"));
    assert_eq!((request.update_from, request.stateroot.as_deref()), (None, Some("default")));
    let (request, found) = read_as(
        Syntax::F46,
        "bootc --source-imgref=oci:/i:x --target-imgref=q.io/a/b:1 --stateroot=s --bootloader=grub",
    );
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(request.update_from.as_deref(), Some("q.io/a/b:1"));
    assert_eq!((request.image.as_deref(), request.stateroot.as_deref()), (Some("oci:/i:x"), Some("s")));
    let bad = "bootc --source-imgref=containers-storage:x --target-imgref=Q/A --bootloader=systemd --composefs";
    let (_, found) = read_as(Syntax::F46, bad);
    let all = found.join("\n");
    for word in
        ["R001 bootc --composefs", "R001 bootc: boot loader 'systemd'", "R003 bootc: ", "R003 bootc --target-imgref: "]
    {
        assert!(all.contains(word), "{word} in {all}");
    }
    assert_eq!(found.len(), 4, "{all}");
}

#[test]
fn what_cannot_be_done_is_refused_by_name_all_at_once() {
    let (_, found) = read(
        "ostreecontainer --url q.io/x --transport=containers-storage\n\
         part / --size=1000 --encrypted --passphrase=secretword\npart /data --size=10\npart pv.1 --size=10\n\
         bootloader --location=partition\n",
    );
    let all = found.join("\n");
    for word in ["containers-storage", "--encrypted", "part /data", "part pv.1", "--location=partition"] {
        assert!(all.contains(word), "{word} in {all}");
    }
    assert!(!all.contains("secretword"));
}

#[test]
fn customary_directories_are_found_in_var() {
    let (request, found) =
        read("part / --size=1000 --grow\npart /home --size=100\npart /var/log --size=10\nreqpart --add-boot\n");
    assert_eq!(found, Vec::<String>::new());
    let Layout::Custom { partitions, platform: true, add_boot: true } = request.layout else { panic!() };
    let points: Vec<_> = partitions.iter().map(|p| p.purpose.clone()).collect();
    let mount = |p: &str| Purpose::Mount(p.parse::<MountPoint>().unwrap());
    assert_eq!(points, [mount("/"), mount("/var/home"), mount("/var/log")]);
    assert_eq!(partitions[1].origin, "site.ks:2");
}
