//! `/usr` as a file system of its own: it belongs to the image, which lies in the root file system.
//! So the room that was meant for it goes to `/`.

use crate::request::{AreaRequest, Custom, Purpose};
use crate::units::Bytes;

/// The room that was asked for /usr.
pub(super) struct Room {
    /// The volume group, where it was to be a volume.
    pub group: Option<String>,
    /// What it asked for.
    pub size: Bytes,
    pub grow: bool,
    pub max_size: Option<Bytes>,
    pub percent: Option<u64>,
}

impl Room {
    /// Gives it to the root, where that comes out of the same: partitions, or one volume group.
    pub fn give_to_root(&self, custom: &mut Custom) {
        let root = Purpose::root();
        match &self.group {
            None => {
                let found = custom.partitions.iter_mut().find(|partition| partition.area.purpose == root);
                found.into_iter().for_each(|partition| self.enlarge(&mut partition.area));
            }
            Some(group) => {
                let mut volumes = custom.volumes.iter_mut();
                if let Some(volume) = volumes.find(|v| v.area.purpose == root && v.group == *group) {
                    self.enlarge(&mut volume.area);
                    let percent = volume.percent.into_iter().chain(self.percent);
                    volume.percent = percent.reduce(u64::saturating_add);
                }
            }
        }
    }

    fn enlarge(&self, root: &mut AreaRequest) {
        let most = |grow: bool, size: Bytes, max: Option<Bytes>| if grow { max } else { Some(size) };
        let size = root.size.unwrap_or_default();
        let both = most(root.grow, size, root.max_size).zip(most(self.grow, self.size, self.max_size));
        root.grow |= self.grow;
        root.max_size = both.map(|(root, usr)| Bytes(root.0.saturating_add(usr.0))).filter(|_| root.grow);
        root.size = Some(Bytes(size.0.saturating_add(self.size.0)));
    }
}
