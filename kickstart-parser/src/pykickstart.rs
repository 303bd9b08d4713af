//! A kickstart written out again, as pykickstart writes it: one order of commands, one order
//! of options, comments gone.
//!
//! Each command's file says how its lines look, [`crate::pen`] writes them, and here is the order
//! of the commands. What is written is found by experiment; for the layout that keeps comments see
//! [`crate::format`].

use crate::commands::{
    auth, authselect, autopart, bootc, bootloader, btrfs, clearpart, device, display, dmraid, driverdisk, end, eula,
    fcoe, firewall, firstboot, group, harddrive, ignoredisk, iscsi, keyboard, lang, liveimg, logging, logvol, media,
    module, mount, multipath, network, nfs, nvdimm, old, ostreecontainer, ostreesetup, part, raid, rdp, realm, repo,
    reqpart, rescue, rhsm, rootpw, selinux, services, skipx, snapshot, sshkey, sshpw, stratisfs, stratispool,
    syspurpose, timesource, timezone, updates, url, user, vnc, volgroup, xconfig, zerombr, zfcp, zipl,
};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::sections;
use crate::syntax::Syntax;

/// By pykickstart's priority, then by the name of its class: the order of the output.
type Order = (u16, &'static str, fn(&Kickstart, &mut Pen));

const ORDER: &[Order] = &[
    (0, "Authconfig", auth::write),
    (0, "Authselect", authselect::write),
    (0, "AutoStep", old::write_autostep),
    (0, "Bootc", bootc::write),
    (0, "Cdrom", media::write_cdrom),
    (0, "Device", device::write),
    (0, "DeviceProbe", device::write_probe),
    (0, "DisplayMode", display::write),
    (0, "DriverDisk", driverdisk::write),
    (0, "Eula", eula::write),
    (0, "Firewall", firewall::write),
    (0, "Firstboot", firstboot::write),
    (0, "Group", group::write),
    (0, "HardDrive", harddrive::write),
    (0, "Hmc", media::write_hmc),
    (0, "IgnoreDisk", ignoredisk::write),
    (0, "Keyboard", keyboard::write),
    (0, "Lang", lang::write),
    (0, "Liveimg", liveimg::write),
    (0, "Logging", logging::write),
    (0, "MediaCheck", media::write_mediacheck),
    (0, "Module", module::write),
    (0, "Mount", mount::write),
    (0, "NFS", nfs::write),
    (0, "Network", network::write),
    (0, "OSTreeContainer", ostreecontainer::write),
    (0, "OSTreeSetup", ostreesetup::write),
    (0, "RDP", rdp::write),
    (0, "RHSM", rhsm::write),
    (0, "Realm", realm::write),
    (0, "Reboot", end::write),
    (0, "Repo", repo::write),
    (0, "Rescue", rescue::write),
    (0, "RootPw", rootpw::write),
    (0, "SELinux", selinux::write),
    (0, "Services", services::write),
    (0, "SkipX", skipx::write),
    (0, "SshKey", sshkey::write),
    (0, "SshPw", sshpw::write),
    (0, "Syspurpose", syspurpose::write),
    (0, "Timesource", timesource::write),
    (0, "Timezone", timezone::write),
    (0, "UnsupportedHardware", media::write_unsupported_hardware),
    (0, "Updates", updates::write),
    (0, "Upgrade", old::write_install),
    (0, "Url", url::write),
    (0, "User", user::write),
    (0, "Vnc", vnc::write),
    (0, "XConfig", xconfig::write),
    (10, "Bootloader", bootloader::write),
    (10, "Zipl", zipl::write),
    (50, "MultiPath", multipath::write),
    (60, "DmRaid", dmraid::write),
    (70, "IscsiName", iscsi::write_name),
    (71, "Fcoe", fcoe::write),
    (71, "Iscsi", iscsi::write),
    (71, "ZFCP", zfcp::write),
    (80, "Nvdimm", nvdimm::write),
    (100, "AutoPart", autopart::write),
    (100, "ReqPart", reqpart::write),
    (110, "ZeroMbr", zerombr::write),
    (120, "ClearPart", clearpart::write),
    (130, "Partition", part::write),
    (131, "Raid", raid::write),
    (132, "BTRFS", btrfs::write),
    (132, "VolGroup", volgroup::write),
    (133, "LogVol", logvol::write),
    (134, "StratisPool", stratispool::write),
    (135, "StratisFs", stratisfs::write),
    (140, "Snapshot", snapshot::write),
];

impl Kickstart {
    /// The kickstart as pykickstart prints it when it has read it as `syntax`. The text is the
    /// common ground of other tools; it is not always fit to be read again (quotes are lost
    /// where pykickstart loses them).
    pub fn to_pykickstart(&self, syntax: Syntax) -> String {
        let mut pen = Pen::new(syntax);
        if let Some(platform) = &self.platform {
            pen.text("#platform=").text(platform).end();
        }
        pen.text("#version=").text(syntax).end();
        for (_, _, write) in ORDER {
            write(self, &mut pen);
        }
        sections::write(self, &mut pen);
        pen.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_priority_and_class() {
        assert!(ORDER.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)));
    }
}
