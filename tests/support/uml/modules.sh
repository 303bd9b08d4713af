# Packs what a foreign initramfs needs to be started by a user-mode kernel.
#
#   modules.sh ROOT FILES ARCHIVE
set -euo pipefail
root=$1 files=$2 archive=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/usr/lib/modules"
cp -a "$root"/usr/lib/uml/modules/* "$work/usr/lib/modules/"
# 170 MB to 35.
find "$work" -name '*.ko' -exec strip --strip-debug {} +
cp -a "$files/." "$work/"
cd "$work"
find . -mindepth 1 | LC_ALL=C sort | cpio --quiet --create --format=newc --owner=0:0 | gzip -1 >"$archive"
