//! What is seen when the system has started: text or a graphical login, and what asks at the first boot.

use super::change::{Change, Facts, Findings, Topic};
use super::units;
use crate::request::{Desktop, FirstBoot};

/// The changes for `desktop`.
pub fn changes(desktop: &Desktop) -> Vec<Change> {
    let mut list = Vec::new();
    if let Some(graphical) = desktop.graphical {
        let target = if graphical { "graphical.target" } else { "multi-user.target" };
        let target = format!("{}/{target}", units::VENDOR);
        let path = format!("{}/default.target", units::ETC);
        list.push(Change::Link { path, target: target.clone(), needs: Some(target) });
    }
    if let Some(name) = &desktop.default {
        list.push(Change::write("/etc/sysconfig/desktop", format!("DESKTOP={name}\n")));
    }
    list
}

const UNIT: &str = "initial-setup.service";

/// The changes for what asks at the first boot.
pub fn first_boot(wish: FirstBoot, facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    let there = facts.map(|facts| facts.units.contains_key(UNIT));
    match (wish, there) {
        // What is not there asks nothing.
        (FirstBoot::Disabled, Some(true)) => vec![Change::Disable { unit: UNIT.into() }],
        (FirstBoot::Disabled, _) => Vec::new(),
        (_, Some(false)) => {
            found.note(Topic::FirstBoot, "nothing asks at the first boot: the image has no initial-setup", "");
            Vec::new()
        }
        (wish, there) => {
            if there.is_none() {
                found.unknown(UNIT);
            }
            let again = (wish == FirstBoot::Reconfigure).then(|| Change::write("/etc/reconfigSys", ""));
            [Change::Enable { unit: UNIT.into() }].into_iter().chain(again).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{SystemFacts, UnitFacts};

    #[test]
    fn the_default_target_is_a_link() {
        let wish = |graphical| Desktop { graphical, default: None };
        let title = |graphical| changes(&wish(graphical)).iter().map(Change::title).collect::<Vec<_>>();
        assert!(title(Some(true))[0].ends_with("/graphical.target"));
        assert!(title(Some(false))[0].ends_with("/multi-user.target"));
        assert_eq!(title(None), Vec::<String>::new());
    }

    #[test]
    fn only_what_is_there_can_ask() {
        let mut facts = SystemFacts::default();
        let mut found = Findings::default();
        assert!(first_boot(FirstBoot::Enabled, Some(&facts), &mut found).is_empty() && found.list().len() == 1);
        facts.units.insert(UNIT.into(), UnitFacts::default());
        assert_eq!(first_boot(FirstBoot::Reconfigure, Some(&facts), &mut found).len(), 2);
        assert_eq!(first_boot(FirstBoot::Disabled, Some(&facts), &mut found).len(), 1);
        assert!(first_boot(FirstBoot::Disabled, None, &mut found).is_empty());
    }
}
