use super::{CacheMode, Thin};
use crate::Syntax;
use crate::commands::testing::{check, check_versions, good, written};

#[test]
fn volumes() {
    let k = good("logvol /home/ --vgname=vg --name=home --size=1024 --grow --maxsize=4096 --fstype=xfs");
    let v = &k.logical_volumes[0];
    assert_eq!((v.mount.as_str(), v.volume_group.as_str(), v.name.as_str()), ("/home", "vg", "home"));
    assert_eq!((v.size_mib, v.grow, v.max_size_mib), (Some(1024), true, Some(4096)));
    let k = good("logvol / --vgname=vg --name=root --noformat");
    assert!(k.logical_volumes[0].existing && k.logical_volumes[0].no_format);
}

#[test]
fn thin_pools_and_caches() {
    let k = good(
        "logvol none --vgname=vg --name=pool --thinpool --percent=50 --chunksize=64\n\
         logvol / --vgname=vg --name=root --thin --poolname=pool --size=9\n\
         logvol /a --vgname=vg --name=a --size=9 --cachesize=5 --cachepvs=pv.1,pv.2 --cachemode=writeback",
    );
    let thin = |n: usize| k.logical_volumes[n].thin.clone();
    assert_eq!(thin(0), Some(Thin::Pool { metadata_size_mib: None, chunk_size_kib: Some(64) }));
    assert_eq!(thin(1), Some(Thin::Volume("pool".to_owned())));
    let cache = k.logical_volumes[2].cache.as_ref().unwrap();
    assert_eq!((cache.size_mib, cache.mode), (5, Some(CacheMode::WriteBack)));
    assert_eq!(cache.devices, ["pv.1", "pv.2"]);
}

#[test]
fn mistakes() {
    check(&[
        ("logvol", &["E207", "E207", "E208"]),
        ("logvol / --vgname=v --name=n", &["E215"]),
        ("logvol / --vgname=v --name=n --size=0", &["E215"]),
        ("logvol / --vgname=v --name=n --grow", &["E215"]),
        ("logvol / --vgname=v --name=n --recommended", &[]),
        ("logvol / --vgname=v --name=n --size=1 --percent=2", &["E214"]),
        ("logvol / --vgname=v --name=n --percent=101", &["E213"]),
        ("logvol / --vgname=v --name=n --size=1 --resize", &["E215"]),
        ("logvol / --vgname=v --name=n --useexisting --resize", &["E215"]),
        ("logvol / --vgname=v --name=n --size=1 --thin", &["E215"]),
        ("logvol / --vgname=v --name=n --size=1 --thin --thinpool --poolname=p", &["E214"]),
        ("logvol / --vgname=v --name=n --size=1 --chunksize=4", &["E215"]),
        ("logvol / --vgname=v --name=n --size=1 --mkfsoptions=a --noformat", &["E214"]),
        ("logvol / --vgname=v --name=n --size=1 x", &["E209"]),
        ("logvol / --vgname=v --name=n --size=1 --bytes-per-inode=1", &["E203"]),
    ]);
    check_versions(&[
        (Syntax::Rhel7, "logvol / --vgname=v --name=n --size=1 --cachesize=1", &["E202"]),
        (Syntax::F46, "logvol / --vgname=v --name=n --size=1 --hw-passphrase=1", &["E201"]),
        (Syntax::Rhel10, "logvol / --vgname=v --name=n --size=1 --fstype=btrfs", &["E216"]),
    ]);
}

#[test]
fn mistakes_about_caches() {
    check(&[
        ("logvol / --vgname=v --name=n --size=1 --cachesize=1", &["E215"]),
        ("logvol / --vgname=v --name=n --size=1 --cachepvs=a", &["E215"]),
        ("logvol / --vgname=v --name=n --size=1 --cachemode=writeback", &["E215", "E215"]),
        ("logvol / --vgname=v --name=n --size=1 --cachepvs=,", &[]),
        ("logvol / --vgname=v --name=n --size=1 --cachesize=1 --cachepvs=a --cachemode=x", &["E212"]),
        ("logvol / --vgname=v --name=n --size=1 --cachesize=1 --cachepvs=a --noformat", &["E214"]),
        ("logvol / --vgname=v --name=n --size=1 --cachesize=1 --cachepvs=a --thin --poolname=p", &["E214"]),
    ]);
}

#[test]
fn canonical() {
    let text = "logvol / --vgname=vg --name=r --size=5 --fstype=a --label=d --encrypted --cipher=c --cachesize=1 \
                --cachemode=writeback --cachepvs=a,b --profile=y --mkfsoptions=k --pbkdf=p --thinpool --chunksize=3 \
                --metadatasize=4 --recommended --maxsize=0\n\
                logvol swap --vgname=vg --name=s --percent=5 --grow --poolname=p --cipher=c --hibernation\n";
    let expected = "logvol / --fstype=\"a\" --recommended --size=5 --encrypted --label=\"d\" --cipher=\"c\" --thinpool \
                    --metadatasize=4 --chunksize=3 --profile=y --cachesize=1 --cachepvs=a,b --cachemode=writeback \
                    --mkfsoptions=\"k\" --pbkdf=p --name=r --vgname=vg\n\
                    logvol swap --grow --percent=5 --hibernation --name=s --vgname=vg\n";
    assert_eq!(written(Syntax::F44, text), expected);
}
