# Becomes a user-mode kernel, in a root of Debian testing. Run in a mount namespace of its own,
# so that everything mounted here is gone with the machine, however it ends.
#
#   launch.sh ROOT DIRECTORY ARGUMENT…
#
# DIRECTORY is the machine's. It is /srv in the root; DIRECTORY/disk/N are links to disk images,
# which become /dev/shm/disk/N. Where DIRECTORY/shared is, the root of this host is at /mnt, with
# a layer of memory over it: what is written there is gone with the machine. Only the
# directories that DIRECTORY/shared/N link to are the real ones.
set -eu
root=$1 dir=$2
shift 2

mount --bind "$root" "$root"
cd "$root"
mount --rbind /dev dev
# The machine's memory is a file here.
mount -t tmpfs -o size=100% uml dev/shm
mount -t proc proc proc
mount --bind "$dir" srv

mkdir dev/shm/disk
for link in "$dir"/disk/*; do
    [ -e "$link" ] || continue
    at=dev/shm/disk/${link##*/}
    : >"$at"
    mount --bind "$(readlink -f "$link")" "$at"
done

if [ -d "$dir/shared" ]; then
    mkdir dev/shm/upper dev/shm/work
    mount -t overlay -o lowerdir=/,upperdir=dev/shm/upper,workdir=dev/shm/work host mnt
    mkdir -p mnt/usr/lib/modules
    mount --bind usr/lib/uml/modules mnt/usr/lib/modules
    for link in "$dir"/shared/*; do
        shared=$(readlink -f "$link")
        mkdir -p "mnt$shared"
        mount --rbind "$shared" "mnt$shared"
    done
fi

# The root is shared by all machines.
mount -o remount,bind,ro .
exec chroot . /usr/bin/env -i HOME=/dev/shm TMPDIR=/dev/shm /usr/bin/linux.uml "$@"
