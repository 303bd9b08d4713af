# shellcheck shell=bash
# Building an image of Debian packages, as far as the images of the tests have it in common: from
# the package list to tar files, and the cache around it.

# What an image says of its age; constant, so that digests repeat.
export SOURCE_DATE_EPOCH=1767225600

# make_root SUITE PACKAGE-LIST FINISH ROOT: a root of those packages, made ready by the hook
# FINISH, with the directories empty that a running system mounts something on.
make_root() {
    local suite=$1 packages=$2 finish=$3 root=$4 include
    include=$(sed 's/#.*//; /^[[:space:]]*$/d' "$packages" | paste -sd,)
    # INITRD=No keeps the kernel's hook from making an initramfs that the hook would throw away.
    archive_lines "$suite" | INITRD=No mmdebstrap --mode=root --variant=minbase --format=directory \
        --include="$include" \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="$finish \"\$1\"" \
        --skip=cleanup \
        "$suite" "$root" >&2
    # Mounted while the hooks ran, hence only now.
    rm -rf "${root:?}"/{var,run,tmp,dev,proc,sys}
    mkdir -m 0755 "$root"/{var,run,dev}
    mkdir -m 0555 "$root"/{proc,sys}
    mkdir -m 1777 "$root/tmp"
}

# layer_tar DIR: the same bytes for the same tree.
layer_tar() {
    local dir=$1
    find "$dir" -mindepth 1 -maxdepth 1 -printf '%P\0' | LC_ALL=C sort -z |
        LC_ALL=C tar -C "$dir" --create --null --files-from=- --sort=name --format=pax \
            --pax-option='exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime' \
            --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
            --xattrs --xattrs-include='*'
}

# build_once KEY LINK: prints where the OCI layout with that key is, in the directory $images. The
# function make_layout DIR is called where there is none yet: it has to make DIR/done/oci, and what
# else it makes in DIR/done is kept, too. LINK is a link to the newest.
build_once() {
    local key=$1 link=$2 work
    mkdir -p "$images"
    images=$(cd "$images" && pwd)
    # Two builds at once would only be slow twice.
    exec 9>"$images/.lock"
    flock 9
    if [[ ! -d $images/$key ]]; then
        [[ $EUID == 0 ]] || { say "building needs root"; exit 1; }
        work=$(mktemp -d "$images/.build-XXXXXX")
        # shellcheck disable=SC2064 # expanded now: locals are gone at exit
        trap "rm -rf --one-file-system '$work'" EXIT
        say "building $key (a few minutes, then cached)"
        mkdir "$work/done"
        make_layout "$work"
        mv -T "$work/done" "$images/$key"
        ln -sfn "$key" "$images/$link"
        say "built, $(du -sm "$images/$key" | cut -f1) MB"
    fi
    echo "$images/$key/oci"
}
