# shellcheck shell=bash
# Turning a plain Debian root into what bootc wants of an image, as far as the images of the tests
# have it in common. $root is that root; /proc, /sys and /dev are there.

# shellcheck disable=SC2154 # the caller's
in_root() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }

# mask_units UNIT…: those that an image has no use for, and these.
mask_units() {
    local unit generator common=(
        # Debian's package tools have nothing to do on an image.
        apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer dpkg-db-backup.service
        # Scrubs of file systems that may not be there.
        e2scrub_all.timer e2scrub_reap.service
        # Asks questions on the console; an installed machine has its answers.
        systemd-firstboot.service
        # /usr is read-only and complete; these would try to change it or slow a boot.
        systemd-hwdb-update.service ldconfig.service systemd-update-done.service
        systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-pcrmachine.service
        systemd-tpm2-setup.service systemd-tpm2-setup-early.service
        # GRUB here has no environment block that could be written.
        grub-common.service grub-initrd-fallback.service
    )
    for unit in "${common[@]}" "$@"; do ln -sfn /dev/null "$root/etc/systemd/system/$unit"; done
    # Generators with nothing to find: our mounts are in fstab, and the ESP must
    # not be put over /boot; no virtual socket to offer ssh on.
    mkdir -p "$root/etc/systemd/system-generators"
    for generator in systemd-gpt-auto-generator systemd-ssh-generator systemd-tpm2-generator; do
        ln -sfn /dev/null "$root/etc/systemd/system-generators/$generator"
    done
    # /home, /srv and /root are links into /var here.
    rm -f "$root/usr/lib/tmpfiles.d/home.conf"
    sed -i 's, /root, /var/roothome,' "$root/usr/lib/tmpfiles.d/provision.conf"
}

# kernel_and_initramfs: into /usr/lib/modules, where bootc looks for them.
kernel_and_initramfs() {
    local kver modules
    kver=$(basename "$root"/usr/lib/modules/*)
    # Newer packages have it there already, and a link in /boot.
    [[ -e $root/usr/lib/modules/$kver/vmlinuz ]] || cp "$root/boot/vmlinuz-$kver" "$root/usr/lib/modules/$kver/vmlinuz"
    # Half of the modules drive what no machine of the tests has and no server
    # boots by; they would only be fetched, unpacked and labelled every time.
    modules=$root/usr/lib/modules/$kver/kernel
    rm -rf "$modules"/sound "$modules"/net/{bluetooth,mac80211,wireless,nfc,can,batman-adv,rxrpc} \
        "$modules"/drivers/{accel,accessibility,android,bluetooth,comedi,crypto/intel,gpu,greybus,iio,infiniband,isdn,media,nfc,platform,soundwire,staging,video} \
        "$modules"/drivers/net/{can,ieee802154,wireless,wwan}
    in_root depmod "$kver"
    in_root dracut --force --no-hostonly --kver "$kver" --reproducible "/usr/lib/modules/$kver/initramfs.img"
    chmod 0600 "$root/usr/lib/modules/$kver/initramfs.img"
}

# cut_away: what belongs to one machine, and what only costs time in tests.
cut_away() {
    rm -f "$root"/etc/ssh/ssh_host_* "$root"/etc/hostname "$root"/etc/resolv.conf \
        "$root"/etc/machine-id "$root"/etc/{passwd,group,shadow,gshadow,subuid,subgid}- \
        "$root"/vmlinuz* "$root"/initrd.img* "$root"/.dockerenv
    echo uninitialized >"$root/etc/machine-id"
    rm -rf "$root"/usr/share/{doc,man,info,lintian,linda,bug,i18n,bash-completion,zsh,locale,common-licenses,pixmaps,menu} \
        "$root"/usr/lib/x86_64-linux-gnu/gconv/[A-TV-Z]* "$root"/usr/lib/systemd/boot \
        "$root"/usr/lib/udev/hwdb.d "$root"/etc/udev/hwdb.d "$root"/usr/src "$root"/usr/lib/debug
    # xfs_scrub is all that wants ICU; the hardware database names keyboards and mice; of the
    # ready-made GRUBs one is enough.
    find "$root/usr" "$root/etc/systemd" \( -name 'xfs_scrub*' -o -name 'libicu*.so*' \
        -o -name hwdb.bin -o -name unicode.pf2 -o -name 'gcdx64*' -o -name 'grubnetx64*' \) -prune -exec rm -rf {} +
}

# package_database: out of /var, which belongs to the machine.
package_database() {
    mkdir -p "$root/usr/lib/sysimage"
    mv "$root/var/lib/dpkg" "$root/usr/lib/sysimage/dpkg"
    rm -rf "$root"/usr/lib/sysimage/dpkg/{*-old,lock*,info,triggers,updates,alternatives}
}

# ostree_layout: empty /boot, /var and /sysroot, and the links into /var.
ostree_layout() {
    local dir
    for dir in boot var home root opt srv mnt media sysroot; do rm -rf "${root:?}/$dir"; done
    mkdir -m 0755 "$root"/{boot,var,sysroot}
    ln -s sysroot/ostree "$root/ostree"
    ln -s run/media "$root/media"
    for dir in home opt srv mnt; do ln -s "var/$dir" "$root/$dir"; done
    ln -s var/roothome "$root/root"
}
