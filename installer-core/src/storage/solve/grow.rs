//! Free space shared among those that grow.

use crate::units::Bytes;

/// How far something may grow: not at all, up to a size, or as far as there is space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// It has its size.
    None,
    /// Up to this size.
    To(Bytes),
    /// As far as there is space.
    Free,
}

impl Growth {
    /// What is asked for.
    pub fn of(grow: bool, most: Option<Bytes>) -> Self {
        match (grow, most) {
            (false, _) => Growth::None,
            (true, Some(most)) => Growth::To(most),
            (true, None) => Growth::Free,
        }
    }
}

/// Shares `free` equally among the growing ones, in multiples of `unit`, round by round, as their
/// limits are met.
pub fn grow(growths: &[Growth], sizes: &mut [Bytes], mut free: Bytes, unit: Bytes) {
    let mut growing: Vec<usize> = (0..growths.len()).filter(|i| growths[*i] != Growth::None).collect();
    while !growing.is_empty() && free >= unit {
        let share = Bytes(free.0 / growing.len() as u64).align_down(unit).max(unit);
        let before = free;
        growing.retain(|&index| {
            let room = match growths[index] {
                Growth::To(most) => most.align_down(unit) - sizes[index],
                _ => share,
            };
            let more = share.min(room).min(free).align_down(unit);
            sizes[index] = sizes[index] + more;
            free = free - more;
            more == share
        });
        if free == before {
            break;
        }
    }
}
