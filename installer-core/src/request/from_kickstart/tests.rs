//! What kickstarts become.

use kickstart_parser::{ParseOptions, Syntax, parse};

use super::*;
use crate::request::{Clear, Content, Custom, Layout, Purpose, RootAccess, Scheme};
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
         part / --size=1000 --encrypted --passphrase=secretword\npart /data --size=10\npart raid.1 --size=10\n\
         bootloader --location=partition\n",
    );
    let all = found.join("\n");
    for word in ["containers-storage", "--encrypted", "part /data", "part raid.1", "--location=partition"] {
        assert!(all.contains(word), "{word} in {all}");
    }
    assert!(!all.contains("secretword"));
}

#[test]
fn customary_directories_are_found_in_var() {
    let (request, found) =
        read("part / --size=1000 --grow\npart /home --size=100\npart /var/log --size=10\nreqpart --add-boot\n");
    assert_eq!(found, Vec::<String>::new());
    let Layout::Custom(Custom { partitions, platform: true, add_boot: true, .. }) = request.layout else { panic!() };
    let points: Vec<_> = partitions.iter().map(|p| p.area.purpose.clone()).collect();
    let mount = |p: &str| Purpose::Mount(p.parse::<MountPoint>().unwrap());
    assert_eq!(points, [mount("/"), mount("/var/home"), mount("/var/log")]);
    assert_eq!(partitions[1].area.origin, "site.ks:2");
}

#[test]
fn volumes_of_ones_own_are_understood() {
    let (request, found) = read(
        "part / --size=1000\npart pv.1 --size=10 --ondisk=sda\npart pv.2 --size=10 --fstype=lvmpv --ondisk=sdb\n\
         volgroup data pv.2 pv.1 --pesize=32768\nlogvol /home --vgname=data --name=home --percent=50\n\
         logvol swap --vgname=data --name=swap --recommended\n",
    );
    assert_eq!(found, Vec::<String>::new());
    let Layout::Custom(custom) = request.layout else { panic!() };
    let disks: Vec<_> = custom.partitions.iter().map(|p| (p.area.purpose.clone(), p.disk.as_deref())).collect();
    let member = || Purpose::Lvm("data".into());
    assert_eq!(disks[1..], [(member(), Some("sda")), (member(), Some("sdb"))]);
    assert_eq!(custom.groups[0].extent, Some(crate::units::Bytes::mib(32)));
    let volumes: Vec<_> = custom.volumes.iter().map(|v| (v.name.as_str(), v.percent, v.area.size.is_some())).collect();
    assert_eq!(volumes, [("home", Some(50), false), ("swap", None, false)]);
}

#[test]
fn what_cannot_be_made_is_refused_by_name() {
    for (text, word) in [
        ("part pv.1 --size=10\n", "R003 part pv.1: no volume group is made of it"),
        ("volgroup old --useexisting\n", "R001 volgroup old"),
        ("volgroup vg pv.7\n", "R003 volgroup vg: pv.7 is no partition"),
        ("logvol / --vgname=a --name=r --useexisting\n", "R001 logvol /: --useexisting"),
        ("logvol / --vgname=a --name=r --noformat\n", "R001 logvol /: --noformat"),
        ("logvol / --vgname=a --name=pvmove1 --size=900\n", "R003 logvol: 'pvmove1'"),
        ("logvol /usr/x --vgname=a --name=r --size=900\n", "R003 logvol /usr/x: this directory belongs to the image"),
        ("user --name=a --homedir=/new/top\n", "R003 user a: no home can be made at /new/top"),
        ("user --name=a --uid=4294967295\n", "R003 user a: --uid is out of range"),
        ("group --name=a --gid=65535\n", "R003 group a: --gid is out of range"),
        ("bootloader --append='a=\"b'\n", "R003 bootloader --append: a quotation mark is open"),
        ("part /boot/loader --size=900\n", "R003 part /boot/loader: boot loaders look for what is in /boot"),
        ("part /var/run --size=900\n", "R003 part /var/run: this directory is a link into /run"),
        ("logvol /tmp/x --vgname=a --name=r --size=900\n", "R003 logvol /tmp/x: this directory is made at each boot"),
        ("logvol /boot/efi --vgname=a --name=r --size=900\n", "R003 logvol /boot/efi: the firmware"),
        ("logvol none --thinpool --vgname=a --name=r --size=900\n", "R001 logvol none: thin provisioning"),
    ] {
        let (_, found) = read(text);
        assert!(found.len() == 1 && found[0].starts_with(word), "{text}{found:?}");
    }
}

/// What becomes of a kickstart's root when /usr is asked for beside it: size in MiB, whether it grows, and how far.
fn root_of(text: &str) -> (u64, bool, Option<u64>) {
    let (request, found) = read(text);
    assert!(found.iter().all(|one| one.starts_with("R002 ") && one.contains("/usr")), "{found:?}");
    let Layout::Custom(custom) = request.layout else { panic!() };
    assert!(!custom.areas().any(|area| area.purpose.is_at("/usr")));
    let root = custom.areas().find(|area| area.purpose.is_at("/")).unwrap();
    (root.size.unwrap().as_mib(), root.grow, root.max_size.map(|most| most.as_mib()))
}

#[test]
fn the_room_for_usr_goes_to_the_root() {
    let parts = |root: &str, usr: &str| root_of(&format!("part / {root}\npart /usr {usr}\n"));
    assert_eq!(parts("--size=1000", "--size=500"), (1500, false, None));
    assert_eq!(parts("--size=1000 --grow", "--size=500"), (1500, true, None));
    assert_eq!(parts("--size=1000", "--size=500 --grow"), (1500, true, None));
    assert_eq!(parts("--size=1000 --grow --maxsize=3000", "--size=500"), (1500, true, Some(3500)));
    assert_eq!(parts("--size=1000", "--size=500 --grow --maxsize=700"), (1500, true, Some(1700)));
    let volumes = |group: &str| {
        let group = format!(
            "part pv.1 --size=9000\nvolgroup vg pv.1\npart pv.2 --size=9\nvolgroup other pv.2\n\
            logvol / --vgname=vg --name=r --size=1000\nlogvol /usr --vgname={group} --name=u --size=500\n"
        );
        root_of(&group)
    };
    assert_eq!((volumes("vg"), volumes("other")), ((1500, false, None), (1000, false, None)));
}

#[test]
fn partitions_that_are_there_are_asked_for() {
    let (request, found) = read(
        "part / --onpart=/dev/vda3 --size=5\npart /home --usepart=vda4 --noformat\nmount UUID=1 none\n\
         mount /dev/vda5 /srv --reformat=ext4 --mountoptions=nodev\nmount LABEL=x /opt --reformat\n",
    );
    assert!(found.is_empty(), "{found:?}");
    let Layout::Custom(custom) = request.layout else { panic!() };
    let seen: Vec<_> = custom.existing.iter().map(|one| (one.on.as_str(), one.content, one.area.size)).collect();
    assert_eq!(
        seen,
        [
            ("vda3", Content::Replaced, None),
            ("vda4", Content::Kept, None),
            ("/dev/vda5", Content::Replaced, None),
            ("LABEL=x", Content::SameType, None)
        ]
    );
    assert!(custom.partitions.is_empty());
}

#[test]
fn what_cannot_be_kept_is_refused_by_name() {
    for (text, word) in [
        ("part / --onpart=vda1 --noformat\n", "R001 part vda1: a system is not installed over"),
        ("part /boot --onpart=vda1 --noformat\n", "R001 part vda1: the boot entries"),
        ("mount /dev/vda1 /var\n", "R001 mount /dev/vda1: the new system's own /var"),
        ("part /home --size=900 --noformat\n", "R003 part /home: --noformat keeps"),
        ("clearpart --all\npart /home --onpart=vda1\n", "R003 part: vda1 is to be used as it is"),
        ("mount /dev/vda1 /etc\n", "R003 mount /etc: this directory belongs"),
        ("part /home --onpart=vda1 --resize --size=9\n", "R001 part /home: --resize"),
    ] {
        let (_, found) = read(text);
        assert!(found.len() == 1 && found[0].starts_with(word), "{text}{found:?}");
    }
}

#[test]
fn a_partition_for_another_platform_is_left_out() {
    let (request, found) = read("part prepboot --fstype=\"PPC PReP Boot\" --size=4\npart / --size=1000\n");
    assert!(found.len() == 1 && found[0].starts_with("R002 part prepboot"), "{found:?}");
    let Layout::Custom(custom) = request.layout else { panic!() };
    assert_eq!(custom.partitions.len(), 1);
}

#[test]
fn ways_to_lock_a_password_are_taken_for_that() {
    for word in ["nope", "*", "!!", "!locked", "x", "LOCKED"] {
        let text = format!("rootpw --iscrypted '{word}'\nuser --name=ann --iscrypted --password='{word}'\n");
        let (request, found) = read(&text);
        assert_eq!(found, Vec::<String>::new(), "{word}");
        let ann = &request.system.users[0];
        assert_eq!((&request.system.root, &ann.password, ann.locked), (&RootAccess::Locked, &None, true), "{word}");
    }
    let (request, _) = read("rootpw nope\nuser --name=ann --password=x\n");
    let ann = &request.system.users[0];
    assert!(request.system.root != RootAccess::Locked && ann.password.is_some() && !ann.locked);
}
