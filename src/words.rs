//! Remedies in the words of the front door that this process is: options of the command, or of the
//! kernel's command line where the installer environment has started it. Of what neither has, the
//! kickstart has a line.

use std::sync::OnceLock;

use installer_core::Remedy;
use installer_core::request::in_kickstart;

/// Where an answer comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrontDoor {
    /// The command, with a kickstart.
    Command,
    /// `install to-filesystem`, which has none.
    ToFilesystem,
    /// The kernel's command line, and the kickstart that it names.
    Boot,
}

static FRONT_DOOR: OnceLock<FrontDoor> = OnceLock::new();

/// Says which front door this process is, before anything can fail. Without a word it is the command.
pub fn this_is(door: FrontDoor) {
    let _ = FRONT_DOOR.set(door);
}

/// How `remedy` is said here ([`Remedy::say`]).
pub fn words(remedy: &Remedy) -> Option<String> {
    say(*FRONT_DOOR.get().unwrap_or(&FrontDoor::Command), remedy)
}

fn say(door: FrontDoor, remedy: &Remedy) -> Option<String> {
    match door {
        FrontDoor::Command => option(remedy).or_else(|| in_kickstart(remedy)),
        FrontDoor::ToFilesystem if *remedy == Remedy::NoBootLoader => Some("say --bootloader none".into()),
        FrontDoor::ToFilesystem => option(remedy),
        FrontDoor::Boot => boot_option(remedy).or_else(|| in_kickstart(remedy)),
    }
}

fn option(remedy: &Remedy) -> Option<String> {
    Some(match remedy {
        Remedy::Agree => format!("say --yes, or {}", in_kickstart(remedy)?),
        Remedy::AgreeToReplace => "say --yes to replace the file".into(),
        Remedy::UseADiskImage => "install onto a file with --disk-image".into(),
        Remedy::UseTheDisk { disk } => {
            format!("to install onto it, leave --disk-image out: ignoredisk --only-use={disk}")
        }
        Remedy::NameAnImage => format!("{}, or use --image", in_kickstart(remedy)?),
        Remedy::FetchAfterWipe => "say --fetch-after-wipe to take that risk".into(),
        Remedy::InstallFromKickstart => "let 'bootc-ks install KS' do that from a kickstart".into(),
        Remedy::InspectAgain => "make them with 'bootc-ks inspect --json'".into(),
        Remedy::GiveCredentials { registry } => {
            format!(
                "make a credentials file (podman login --authfile FILE {registry}) and name it with --authfile FILE"
            )
        }
        Remedy::OtherCredentials => "name another file with --authfile FILE".into(),
        Remedy::AllowInsecure { registry } => {
            format!("if that is acceptable, pass --insecure-registry {registry}")
        }
        _ => return None,
    })
}

fn boot_option(remedy: &Remedy) -> Option<String> {
    Some(match remedy {
        // There is nothing to put a file onto.
        Remedy::UseADiskImage => String::new(),
        Remedy::NameAnImage => format!("{}, or boot with bootc-ks.image=REGISTRY/NAME:TAG", in_kickstart(remedy)?),
        Remedy::FetchAfterWipe => "boot with bootc-ks.fetch-after-wipe to take that risk".into(),
        Remedy::GiveCredentials { .. } => {
            "give 'username' and 'password' in the kickstart's %addon org_bootc_ks".into()
        }
        Remedy::OtherCredentials => "correct those in the kickstart's %addon org_bootc_ks".into(),
        Remedy::AllowInsecure { registry } => {
            format!("if that is acceptable, boot with bootc-ks.insecure={registry}")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use pxe::options::Options;

    use super::*;

    fn remedies() -> Vec<Remedy> {
        let registry = || "r:5000".to_owned();
        vec![
            Remedy::Agree,
            Remedy::NameAnImage,
            Remedy::FetchAfterWipe,
            Remedy::GiveCredentials { registry: registry() },
            Remedy::OtherCredentials,
            Remedy::AllowInsecure { registry: registry() },
        ]
    }

    #[test]
    fn the_command_has_the_options_that_it_names() {
        let command = crate::Cli::command();
        let install = command.find_subcommand("install").unwrap();
        for remedy in [&remedies()[..], &[Remedy::AgreeToReplace, Remedy::UseADiskImage]].concat() {
            let text = say(FrontDoor::Command, &remedy).unwrap();
            let options: Vec<&str> = text.split(|c: char| c.is_whitespace() || c == ')' || c == ',').collect();
            let named = install.get_arguments().filter_map(clap::Arg::get_long);
            let found = named.filter(|name| options.contains(&format!("--{name}").as_str())).count();
            assert!(found > 0, "{text}");
        }
    }

    #[test]
    fn the_environment_knows_the_boot_options_that_it_names() {
        for remedy in remedies() {
            let text = say(FrontDoor::Boot, &remedy).unwrap();
            assert!(!text.contains(" --yes") && !text.contains("--authfile"), "{text}");
            for word in text.split_whitespace().filter(|word| word.starts_with("bootc-ks.")) {
                let options = Options::parse(word.trim_end_matches(','));
                assert!(options.warnings.is_empty(), "{word}: {:?}", options.warnings);
            }
        }
        assert_eq!(Remedy::from(["a".into(), Remedy::UseADiskImage]).say(&|r| say(FrontDoor::Boot, r)), "a");
    }
}
