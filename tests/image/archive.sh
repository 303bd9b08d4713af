# shellcheck shell=bash
# Where Debian's packages come from, for scripts that make roots of other releases.

# archive_lines SUITE: the archive that this machine already uses, as sources for SUITE. Prints
# nothing where the machine's own packages are not Debian's: mmdebstrap has a default.
archive_lines() {
    local suite=$1 own uri release component
    # shellcheck source=/dev/null
    own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' 2>/dev/null | sort -u |
        while read -r uri release component; do
            case $release in
            "$own") ;;
            # Testing has neither of the two in a form that an image wants.
            "$own-updates" | "$own-security") [[ $suite != testing ]] || continue ;;
            *) continue ;;
            esac
            [[ $component == main ]] || continue
            echo "deb $uri ${release/#$own/$suite} main"
        done
}

# directory_key DIRECTORY…: a hash of all files in them, names and modes included; but for texts
# about them (*.md).
directory_key() {
    local directory
    for directory in "$@"; do
        (cd "$directory" && find . -type f ! -name '*.md' -printf '%P %m\n' | LC_ALL=C sort | while read -r file mode; do
            printf '%s %s ' "$file" "$mode"
            sha256sum <"$file"
        done)
    done | sha256sum | cut -c1-16
}
