# Takes boot entries and what they start out of a disk image, as a boot loader would: without
# changing anything, and without the journal of a file system that was not unmounted. Run in a
# mount namespace of its own, with which the mounts and their loop devices go.
#
#   boot-files.sh IMAGE OUTPUT MOUNT-POINT < lines of START SIZE (of the partitions, in bytes)
#
# The entries are OUTPUT/entries/*.conf then; initramfs files are below OUTPUT/files by the path
# that an entry has for them.
set -eu
image=$1 output=$2 at=$3
mkdir -p "$output/entries" "$output/files"

while read -r start size; do
    kind=$(blkid --probe --offset "$start" --size "$size" --match-tag TYPE --output value "$image" || true)
    case $kind in
    ext4) options=ro,noload ;;
    xfs) options=ro,norecovery ;;
    btrfs) options=ro,rescue=nologreplay ;;
    *) continue ;;
    esac
    # The image may be a disk of a machine that runs: nothing is written to it.
    mount -t "$kind" -o "$options,loop,offset=$start,sizelimit=$size" "$image" "$at"
    for boot in "$at" "$at/boot"; do
        [ -e "$boot/loader/entries" ] || continue
        cp "$boot"/loader/entries/*.conf "$output/entries/"
        sed -n 's/^initrd //p' "$boot"/loader/entries/*.conf | sort -u | while read -r file; do
            mkdir -p "$output/files/${file%/*}"
            cp "$boot/$file" "$output/files/$file"
        done
        exit 0
    done
    umount "$at"
done
echo "no partition of $image that this kernel can mount has boot entries" >&2
exit 1
