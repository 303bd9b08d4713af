//! Remedies as lines of a kickstart: the words of every front door that takes one.

use crate::error::{BootPlace, Remedy};

/// `remedy` as a kickstart says it; `None` where it has no line for it.
pub fn in_kickstart(remedy: &Remedy) -> Option<String> {
    Some(match remedy {
        Remedy::AllowErasing { disk } => {
            format!("to lose everything on it: clearpart --all --initlabel --drives={disk}")
        }
        Remedy::Agree => "let the kickstart say so: zerombr, clearpart --all".into(),
        Remedy::NameADisk { candidate: Some(disk) } => format!("name the one to use: ignoredisk --only-use={disk}"),
        Remedy::NameADisk { candidate: None } => "name one with 'ignoredisk --only-use='".into(),
        Remedy::NameAnotherDisk => "name another disk with 'ignoredisk --only-use='".into(),
        Remedy::UseTheDisk { disk } => format!("to install onto it: ignoredisk --only-use={disk}"),
        Remedy::NameAnImage => "add a line 'ostreecontainer --url=REGISTRY/NAME:TAG'".into(),
        Remedy::LayOut => "add a line: autopart --type=plain".into(),
        Remedy::PlainPartitions => "use plain partitions: autopart --type=plain".into(),
        Remedy::AddARoot => "add a line such as: part / --grow --size=4096".into(),
        Remedy::EnlargeRoot => "give 'part /' a larger --size, or --grow".into(),
        Remedy::EnlargeFilesystem { or } => format!("give it a larger --size, or --fstype={or}"),
        Remedy::AnotherFilesystem => "choose another --fstype".into(),
        Remedy::MakeBootPlace(place) => match place {
            BootPlace::Esp => "add 'reqpart', or a line: part /boot/efi --fstype=efi --size=512".into(),
            BootPlace::BiosBoot => "add 'reqpart', or a line: part biosboot --fstype=biosboot --size=1".into(),
            BootPlace::Any => "add a line: reqpart".into(),
        },
        Remedy::MakeBootPartition => "add 'reqpart --add-boot', or a line: part /boot --fstype=ext4 --size=1024".into(),
        Remedy::NoBootLoader => "say 'bootloader --location=none'".into(),
        Remedy::NoMenuTimeout => "leave --timeout out".into(),
        Remedy::CreateUser(user) => format!("add a line: user --name={user}"),
        _ => return None,
    })
}
