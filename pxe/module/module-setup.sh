#!/bin/bash
# The installer environment of bootc-ks: a dracut module, run inside the image that the
# installer is made from. It is no initramfs on the way to a root file system but a small
# system of its own: systemd, udev, the network, and the installer as its one task.

# Only where it is asked for by name.
check() {
    return 255
}

# networkd where the image has it, since it needs nothing else; else NetworkManager.
# shellcheck disable=SC2154 # dracut's own
has_networkd() {
    [[ -x $dracutsysrootdir$systemdutildir/systemd-networkd ]]
}

# Modules have been split and renamed over the years: those that this dracut has.
depends() {
    local name names=(bash systemd systemd-initrd systemd-udevd systemd-journald systemd-tmpfiles
        systemd-modules-load systemd-sysctl kernel-modules dm base)
    has_networkd || names+=(dbus)
    for name in "${names[@]}"; do
        # shellcheck disable=SC2154 # dracut's own
        if compgen -G "$dracutbasedir/modules.d/[0-9][0-9]$name/module-setup.sh" >/dev/null; then
            echo "$name"
        fi
    done
}

# shellcheck disable=SC2154 # dracut's own
installkernel() {
    # Every network card that the image has a driver for: a machine that boots from the network has one.
    instmods '=drivers/net/ethernet' '=drivers/net/phy' '=drivers/net/mdio' '=drivers/net/usb' \
        '=drivers/net/hyperv' virtio_net vmxnet3 xen-netfront 8021q bonding bridge ipv6 af_packet
    # What an installation makes, and what media are made of.
    instmods xfs ext4 btrfs vfat nls_ascii nls_cp437 nls_iso8859_1 nls_utf8 isofs udf loop overlay \
        nfs nfsv3 nfsv4 efivarfs sr_mod sd_mod uas usb_storage dm_mod dm_crypt dm_snapshot
}

# shellcheck disable=SC2154 # dracut's own
install() {
    inst_binary /usr/bin/bootc-ks
    inst_binary /usr/libexec/bootc-ks/bootc-ks-ostree
    inst_simple "$moddir/image-facts.json" /etc/bootc-ks/image-facts.json
    units
    network
    secure_shell
    programs
    inst_multiple -o /etc/mke2fs.conf /etc/lvm/lvm.conf /etc/nsswitch.conf /etc/services /etc/protocols \
        /etc/ssl/openssl.cnf /etc/netconfig /etc/containers/policy.json /etc/containers/registries.conf \
        '/etc/containers/registries.conf.d/*' '/etc/containers/registries.d/*' '/etc/containers/certs.d/*/*' \
        '/etc/pki/containers/*' '/usr/lib/locale/C.utf8/*' '/usr/lib/locale/C.utf8/LC_MESSAGES/*'
    certificates
    # Another one is put in front of the archive, which looks whether all of this arrived.
    rm -f "$initdir/init"
    # Debian's name of the first is the second. Not the rules that start what is on the disks.
    inst_rules 11-dm-lvm.rules 56-lvm.rules 60-cdrom_id.rules 60-persistent-storage.rules
}

# shellcheck disable=SC2154 # dracut's own
units() {
    local unit
    for unit in bootc-ks-installer.service bootc-ks-shell@.service; do
        inst_simple "$moddir/$unit" "$systemdsystemunitdir/$unit"
    done
    inst_multiple -o "$systemdsystemunitdir/kmod-static-nodes.service" \
        "$systemdsystemunitdir/systemd-tmpfiles-setup-dev.service" "$systemdsystemunitdir/local-fs.target" \
        "$systemdsystemunitdir/systemd-random-seed.service" "$systemdutildir/systemd-random-seed"
    # Another module may have hung its own work on the target of this name.
    rm -rf "$initdir/etc/systemd/system/initrd.target.wants" "$initdir$systemdsystemunitdir/initrd.target.wants"
    mkdir -p "$initdir/etc/systemd/system" "$initdir/etc/systemd/system-generators"
    inst_simple "$moddir/initrd.target" /etc/systemd/system/initrd.target
    # Nothing is to be mounted by itself, and no root file system is waited for.
    for unit in systemd-gpt-auto-generator systemd-fstab-generator dracut-rootfs-generator; do
        ln -sfn /dev/null "$initdir/etc/systemd/system-generators/$unit"
    done
}

network() {
    if has_networkd; then networkd; else network_manager; fi
}

network_manager() {
    local unit
    inst_multiple NetworkManager /usr/libexec/nm-initrd-generator cat sh
    inst_multiple -o nmcli /usr/share/dbus-1/system.d/org.freedesktop.NetworkManager.conf \
        /etc/dbus-1/system.d/org.freedesktop.NetworkManager.conf /usr/lib/systemd/network/99-default.link
    inst_simple "$moddir/NetworkManager.conf" /etc/NetworkManager/NetworkManager.conf
    mkdir -p "$initdir/var/lib/NetworkManager"
    inst_rules 84-nm-drivers.rules 85-nm-unmanaged.rules
    for unit in bootc-ks-nm-config.service bootc-ks-nm.service; do
        inst_simple "$moddir/$unit" "$systemdsystemunitdir/$unit"
        $SYSTEMCTL -q --root "$initdir" add-wants initrd.target "$unit"
    done
}

networkd() {
    local unit
    inst_simple "$moddir/99-bootc-ks.network" /usr/lib/systemd/network/99-bootc-ks.network
    inst_multiple -o "$systemdutildir/systemd-networkd" "$systemdutildir/systemd-network-generator" networkctl \
        "$systemdsystemunitdir/systemd-networkd.service" "$systemdsystemunitdir/systemd-networkd.socket" \
        "$systemdsystemunitdir/systemd-network-generator.service" /usr/lib/systemd/network/99-default.link
    accounts systemd-network
    for unit in systemd-network-generator.service systemd-networkd.service; do
        $SYSTEMCTL -q --root "$initdir" add-wants initrd.target "$unit"
    done
}

# For inst.sshd, where the image has one. It is several programs since OpenSSH 9.8.
secure_shell() {
    local libexec
    [[ -x $dracutsysrootdir/usr/sbin/sshd ]] || return 0
    inst_multiple /usr/sbin/sshd ssh-keygen
    for libexec in /usr/lib/openssh /usr/libexec/openssh; do
        inst_multiple -o "$libexec/sshd-session" "$libexec/sshd-auth"
    done
    accounts sshd
    # Where Fedora's locks up what it does not trust.
    mkdir -p "$initdir/usr/share/empty.sshd"
    chmod 0711 "$initdir/usr/share/empty.sshd"
    inst_simple "$moddir/bootc-ks-sshd.service" "$systemdsystemunitdir/bootc-ks-sshd.service"
}

# Accounts are where the image keeps them; an OSTree image may have them below /usr.
accounts() {
    local name file
    for name in "$@"; do
        for file in passwd group; do
            if ! grep -qs "^$name:" "$initdir/etc/$file"; then
                cat "$dracutsysrootdir/etc/$file" "$dracutsysrootdir/usr/lib/$file" 2>/dev/null |
                    grep -m1 "^$name:" >>"$initdir/etc/$file"
            fi
        done
    done
}

# What an installation runs (the first lines), what kickstarts' scripts use, and what a person
# wants who looks why it failed.
programs() {
    local name
    while read -r name; do
        inst_multiple -o "$name"
    done <"$moddir/programs"
    inst_multiple -o mount.nfs mount.nfs4
    inst_multiple mount umount cat ls cp mv rm mkdir chmod chown ln sleep sync chroot udevadm systemctl
    inst_multiple -o basename dirname cut tr head tail sort uniq wc sed grep egrep awk gawk mawk find xargs tee \
        printf date env expr test true false seq stat readlink realpath mktemp touch dd df du id uname hostname \
        sha256sum base64 tar gzip xz zstd bzip2 curl wget jq python3 ip ss ping dig dmesg lsblk blkid findmnt wipefs \
        sfdisk sgdisk parted partprobe partx losetup dmsetup dmidecode lspci lsusb lscpu ps kill less more vi \
        journalctl loginctl efibootmgr hwclock nvme smartctl mdadm cryptsetup setsid stty clear reset reboot poweroff
    [[ -e $initdir/usr/share/terminfo/l/linux ]] ||
        inst_multiple -o /usr/share/terminfo/l/linux /usr/share/terminfo/v/vt100 /usr/share/terminfo/v/vt220 \
            /lib/terminfo/l/linux /lib/terminfo/v/vt100 /lib/terminfo/v/vt220
}

# The authorities that the image trusts, under every name by which they are looked for.
certificates() {
    local bundle
    for bundle in /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/certs/ca-certificates.crt "$moddir/ca-certificates.crt"; do
        if [[ -s $dracutsysrootdir$bundle ]]; then
            mkdir -p "$initdir/etc/ssl/certs" "$initdir/etc/pki/tls/certs"
            cat "$dracutsysrootdir$bundle" >"$initdir/etc/ssl/certs/ca-certificates.crt"
            ln -sfn /etc/ssl/certs/ca-certificates.crt "$initdir/etc/pki/tls/certs/ca-bundle.crt"
            ln -sfn ca-certificates.crt "$initdir/etc/ssl/certs/ca-bundle.crt"
            ln -sfn certs/ca-certificates.crt "$initdir/etc/ssl/cert.pem"
            return
        fi
    done
    dwarn "bootc-ks: the image has no certificate authorities; https will not work in this installer"
}
