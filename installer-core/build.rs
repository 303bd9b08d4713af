//! Links libblkid, which has no maintained binding of its own (see `src/ffi/blkid.rs`).

fn main() -> Result<(), String> {
    // 2.30 brought blkid_probe_set_sectorsize, the youngest function that we call.
    pkg_config::Config::new()
        .atleast_version("2.30")
        .probe("blkid")
        .map(|_| ())
        .map_err(|error| format!("libblkid is missing (Fedora: libblkid-devel, Debian: libblkid-dev): {error}"))
}
