//! What can be done about an error, as data: each front door says it in its own words, an option,
//! an argument, a boot option or a line of a kickstart.

use std::fmt;

/// What to do about an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Words that hold at every front door.
    Text(String),
    /// Any one of several, the best first.
    AnyOf(Vec<Remedy>),
    /// Allow what is on this disk to be lost, where the request does not.
    AllowErasing {
        /// Its steadiest name.
        disk: String,
    },
    /// Agree to what the plan destroys.
    Agree,
    /// Agree to the replacement of a file.
    AgreeToReplace,
    /// Name the disk to use.
    NameADisk {
        /// One that may be meant.
        candidate: Option<String>,
    },
    /// Name another disk.
    NameAnotherDisk,
    /// Install onto a file that becomes a disk image.
    UseADiskImage,
    /// Install onto this disk itself, and not onto a disk image.
    UseTheDisk {
        /// Its name, as it was given.
        disk: String,
    },
    /// Name the image to install.
    NameAnImage,
    /// Fetch the image when the disk is wiped, at the risk that the registry fails then.
    FetchAfterWipe,
    /// Have the disk laid out.
    LayOut,
    /// Plain partitions in place of logical volumes.
    PlainPartitions,
    /// Ask for a root file system.
    AddARoot,
    /// A larger root file system.
    EnlargeRoot,
    /// A larger file system, or one of the type `or` that is content with less.
    EnlargeFilesystem {
        /// The other type.
        or: &'static str,
    },
    /// Another type of file system.
    AnotherFilesystem,
    /// A partition for the boot loader.
    MakeBootPlace(BootPlace),
    /// A partition for /boot.
    MakeBootPartition,
    /// No boot loader at all.
    NoBootLoader,
    /// No wish for the time of the boot loader's menu.
    NoMenuTimeout,
    /// Create this user.
    CreateUser(String),
    /// Let file systems be made by an installation from a kickstart.
    InstallFromKickstart,
    /// Make the facts of the image again.
    InspectAgain,
    /// Give credentials for this registry.
    GiveCredentials {
        /// Its host.
        registry: String,
    },
    /// Give other credentials.
    OtherCredentials,
    /// Reach this registry without verified TLS.
    AllowInsecure {
        /// Its host.
        registry: String,
    },
}

/// What kind of partition a boot loader lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootPlace {
    /// The EFI system partition.
    Esp,
    /// The BIOS boot partition.
    BiosBoot,
    /// Either.
    Any,
}

/// How a front door says a remedy; `None` where the general words do, and an empty text for what
/// cannot be done there.
pub type Words<'a> = dyn Fn(&Remedy) -> Option<String> + 'a;

impl Remedy {
    /// The remedy in the words of a front door.
    pub fn say(&self, words: &Words<'_>) -> String {
        if let Remedy::AnyOf(all) = self {
            let parts: Vec<String> = all.iter().map(|one| one.say(words)).filter(|part| !part.is_empty()).collect();
            // A comma inside a part must not look like one between two parts.
            let separator = if parts.iter().any(|part| part.contains(", ")) { "; or " } else { ", or " };
            return parts.join(separator);
        }
        words(self).unwrap_or_else(|| self.general())
    }

    /// General words, which name no option of any front door.
    fn general(&self) -> String {
        match self {
            Remedy::Text(text) => text.clone(),
            Remedy::AnyOf(_) => self.say(&|_| None),
            Remedy::AllowErasing { disk } => format!("to lose everything on it, allow {disk} to be erased"),
            Remedy::Agree => "agree to it".into(),
            Remedy::AgreeToReplace => "agree to replace the file".into(),
            Remedy::NameADisk { candidate: Some(disk) } => format!("name the one to use, such as {disk}"),
            Remedy::NameADisk { candidate: None } => "name one".into(),
            Remedy::NameAnotherDisk => "name another disk".into(),
            Remedy::UseADiskImage => "install onto a file".into(),
            Remedy::UseTheDisk { disk } => format!("to install onto it, name {disk} as the disk"),
            Remedy::NameAnImage => "name one".into(),
            Remedy::FetchAfterWipe => "allow the image to be fetched after the wipe, and take that risk".into(),
            Remedy::LayOut => "ask for automatic partitioning".into(),
            Remedy::PlainPartitions => "use plain partitions".into(),
            Remedy::AddARoot => "ask for a root file system".into(),
            Remedy::EnlargeRoot => "give / a larger size, or let it grow".into(),
            Remedy::EnlargeFilesystem { or } => format!("give it a larger size, or use {or}"),
            Remedy::AnotherFilesystem => "choose another file system".into(),
            Remedy::MakeBootPlace(BootPlace::Esp) => "make an EFI system partition, mounted at /boot/efi".into(),
            Remedy::MakeBootPlace(BootPlace::BiosBoot) => "make a BIOS boot partition of 1 MiB".into(),
            Remedy::MakeBootPlace(BootPlace::Any) => "make an EFI system partition or a BIOS boot partition".into(),
            Remedy::MakeBootPartition => "make a partition for /boot".into(),
            Remedy::NoBootLoader => "ask for no boot loader".into(),
            Remedy::NoMenuTimeout => "leave it out".into(),
            Remedy::CreateUser(user) => format!("create the user {user}"),
            Remedy::InstallFromKickstart => "let an installation from a kickstart do that".into(),
            Remedy::InspectAgain => "inspect the image again".into(),
            Remedy::GiveCredentials { registry } => format!("give credentials for {registry}"),
            Remedy::OtherCredentials => "give other credentials".into(),
            Remedy::AllowInsecure { registry } => {
                format!("if that is acceptable, allow {registry} to be reached without verified TLS")
            }
        }
    }
}

impl fmt::Display for Remedy {
    /// In general words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.general())
    }
}

impl From<&str> for Remedy {
    fn from(text: &str) -> Self {
        Remedy::Text(text.to_owned())
    }
}

impl From<String> for Remedy {
    fn from(text: String) -> Self {
        Remedy::Text(text)
    }
}

impl<const N: usize> From<[Remedy; N]> for Remedy {
    fn from(all: [Remedy; N]) -> Self {
        Remedy::AnyOf(all.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_door_says_what_it_can_do() {
        let both = Remedy::from(["use more memory".into(), Remedy::UseADiskImage]);
        assert_eq!(both.to_string(), "use more memory, or install onto a file");
        let option = |one: &Remedy| (*one == Remedy::UseADiskImage).then(|| "say --disk-image".to_owned());
        assert_eq!(both.say(&option), "use more memory, or say --disk-image");
        let cannot = |one: &Remedy| (*one == Remedy::UseADiskImage).then(String::new);
        assert_eq!(both.say(&cannot), "use more memory");
        let commas = Remedy::from(["try one, two".into(), Remedy::LayOut]);
        assert_eq!(commas.to_string(), "try one, two; or ask for automatic partitioning");
    }
}
