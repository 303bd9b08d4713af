#!/bin/sh
# The init of a machine that runs one script on the root of this host, and then switches itself
# off. The script, its output and its status are files of the machine's directory.
#
#   init.sh DIRECTORY WORKING-DIRECTORY ADDRESS ROUTER    (the last two may be empty)
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
here=$1 work=$2 address=$3 router=$4

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /dev/pts /dev/shm /run/lock /run/udev/rules.d
cp "${0%/*}/initramfs/etc/udev/rules.d/61-uml.rules" /run/udev/rules.d/
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
ip link set lo up
if [ -n "$address" ]; then
    ip address add "$address/24" dev vec0
    ip link set vec0 up
    ip route add default via "$router"
fi

# vfat takes its character sets with it only if they are there before; dm-crypt of old kernels
# the same with its ciphers.
modprobe -a loop dm-mod vfat nls_cp437 nls_ascii nls_iso8859-1 nls_utf8 xts
# Without it nodes of volumes are made by no program.
/lib/systemd/systemd-udevd --daemon >/dev/null
udevadm trigger --action=add
udevadm settle

cd "$work" || exec busybox poweroff -f
/bin/sh "$here/script" >"$here/stdout" 2>"$here/stderr" </dev/null
code=$?
echo $code >"$here/status"
# Its power is cut: nothing that the kernel still has in memory reaches a disk.
[ $code = 99 ] && exec busybox poweroff -n -f
sync
exec busybox poweroff -f
