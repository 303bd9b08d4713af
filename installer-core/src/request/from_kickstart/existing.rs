//! Partitions that are there: `part --onpart` and `mount`.

use kickstart_parser::Span;
use kickstart_parser::kickstart::{ClearMode, Kickstart, Mount, Partition};

use super::Reader;
use super::storage::{mounted_type, words};
use crate::request::{AreaRequest, Content, OnPartition, Purpose};

impl Reader<'_> {
    /// All of them.
    pub(super) fn existing(&mut self, kickstart: &Kickstart) -> Vec<OnPartition> {
        let mut list = Vec::new();
        for partition in &kickstart.partitions {
            if let Some(on) = &partition.on_part {
                list.extend(self.on_partition(partition, on, kickstart));
            }
        }
        for mount in &kickstart.mounts {
            list.extend(self.mount(mount, kickstart));
        }
        list
    }

    fn on_partition(&mut self, partition: &Partition, on: &str, kickstart: &Kickstart) -> Option<OnPartition> {
        let area = self.partition_area(partition, kickstart)?;
        // Its size is what it is.
        let area = AreaRequest { size: None, grow: true, max_size: None, ..area };
        let content = if partition.no_format { Content::Kept } else { Content::Replaced };
        self.on_what_is_there("part", on, content, area, partition.span, kickstart)
    }

    fn mount(&mut self, mount: &Mount, kickstart: &Kickstart) -> Option<OnPartition> {
        let before = self.found.len();
        let (name, span) = (mount.mount.as_str(), mount.span);
        if name.eq_ignore_ascii_case("none") {
            return None;
        }
        self.check_mount_options("mount", name, mount.mount_options.as_deref(), span);
        let purpose = match name {
            "/boot/efi" => Purpose::Esp,
            "biosboot" => Purpose::BiosBoot,
            _ => self.mounted_or_swap("mount", name, mount.format.as_deref(), span)?,
        };
        if self.found.len() > before {
            return None;
        }
        let format = mount.format.as_deref().filter(|format| !format.is_empty());
        let content = match (mount.reformat, format) {
            (false, _) => Content::Kept,
            (true, None) => Content::SameType,
            (true, Some(_)) => Content::Replaced,
        };
        let area = AreaRequest {
            purpose,
            size: None,
            grow: true,
            max_size: None,
            filesystem: mounted_type(format),
            label: None,
            options: mount.mount_options.clone(),
            mkfs_options: words(mount.mkfs_options.as_deref()),
            origin: self.place(span),
        };
        self.on_what_is_there("mount", &mount.device, content, area, span, kickstart)
    }

    /// What holds for both: that the partition is still there, and that its content can stay where it is to.
    fn on_what_is_there(
        &mut self,
        command: &str,
        on: &str,
        content: Content,
        area: AreaRequest,
        span: Span,
        kickstart: &Kickstart,
    ) -> Option<OnPartition> {
        let before = self.found.len();
        let clear = kickstart.clearpart.as_ref();
        if clear.is_some_and(|clear| clear.mode == Some(ClearMode::All) && clear.drives.is_empty()) {
            self.bad(
                span,
                format!("{command}: {on} is to be used as it is, and 'clearpart --all' removes it"),
                "leave clearpart out, or make a new partition with --size=",
            );
        }
        if content == Content::Kept
            && let Some(why) = cannot_stay(&area.purpose)
        {
            self.refuse(span, format!("{command} {on}: {why}"), "let its file system be made anew");
        }
        (self.found.len() == before).then(|| OnPartition { on: on.to_owned(), content, area })
    }
}

/// Why what is on a partition for this purpose cannot be kept.
fn cannot_stay(purpose: &Purpose) -> Option<&'static str> {
    match purpose {
        Purpose::Lvm(_) => Some("a physical volume that exists is not used yet"),
        Purpose::Mount(at) => match at.as_str() {
            "/" => Some("a system is not installed over what is on it already, and / cannot be kept"),
            "/boot" => Some("the boot entries of another system would be among those of the new one"),
            "/var" => Some("the new system's own /var would be among what is there"),
            _ => None,
        },
        Purpose::BiosBoot | Purpose::Esp | Purpose::Swap => None,
    }
}
