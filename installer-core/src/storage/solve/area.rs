//! What lies on a partition or a volume, as asked for.

use crate::request::{AreaRequest, Purpose};
use crate::storage::device::Device;
use crate::storage::kind::Area;
use crate::storage::tree::Node;

/// What lies on `device`.
pub fn area(request: &AreaRequest, device: Device) -> Option<Node> {
    let filesystem = match &request.purpose {
        Purpose::Esp => "vfat".to_owned(),
        Purpose::Swap => "swap".to_owned(),
        Purpose::Mount(_) => request.filesystem.clone()?,
        Purpose::BiosBoot | Purpose::Lvm(_) => return None,
    };
    Some(Node::Area(Area {
        device,
        purpose: request.purpose.clone(),
        filesystem,
        label: request.label.clone(),
        options: request.mkfs_options.clone(),
        mount_options: request.options.clone(),
    }))
}
