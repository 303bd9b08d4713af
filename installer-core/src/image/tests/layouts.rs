//! Layout directories and archives.

use super::*;
use crate::error::Kind;

fn archive_of(dir: &Path, file: &Path) {
    let mut builder = tar::Builder::new(std::fs::File::create(file).unwrap());
    builder.append_dir_all(".", dir).unwrap();
    builder.finish().unwrap();
}

fn failure(reference: &str) -> Error {
    match open_local(reference) {
        Ok(_) => panic!("{reference} opened"),
        Err(error) => error,
    }
}

#[test]
fn a_layout_and_its_archive_are_the_same_image() {
    let dir = tempfile::tempdir().unwrap();
    let (layout, archive) = (dir.path().join("layout"), dir.path().join("os.tar"));
    let image = small();
    image.layout(&layout, "stable");
    archive_of(&layout, &archive);
    for reference in [
        format!("oci:{}", layout.display()),
        format!("oci:{}:stable", layout.display()),
        format!("oci:{}@{}", layout.display(), image.digest()),
        format!("oci-archive:{}:stable", archive.display()),
    ] {
        let opened = open_local(&reference).unwrap();
        assert_eq!(opened.manifest(), image.manifest);
        assert_eq!(*opened.manifest_digest(), image.digest());
        assert_eq!(Digest::of(&read_all(opened.layer(0).unwrap()).unwrap()), image.layers[0]);
        assert_eq!(Digest::of(&read_all(opened.layer_tar(0).unwrap()).unwrap()), opened.layers()[0].diff_id);
        assert_eq!(resolve(&opened).unwrap().reference, reference);
        assert!(opened.layer(1).is_err());
    }
}

#[test]
fn several_threads_read_one_archive() {
    let dir = tempfile::tempdir().unwrap();
    let tars: Vec<Vec<u8>> = (0..4u8).map(|i| Tar::default().file("x", vec![i; 300_000]).done()).collect();
    let image = made("amd64", BOOTABLE, &tars);
    image.layout(&dir.path().join("l"), "t");
    archive_of(&dir.path().join("l"), &dir.path().join("a.tar"));
    let opened = open_local(&format!("oci-archive:{}", dir.path().join("a.tar").display())).unwrap();
    std::thread::scope(|scope| {
        for (index, tar) in tars.iter().enumerate() {
            let opened = &opened;
            scope.spawn(move || assert_eq!(read_all(opened.layer_tar(index).unwrap()).unwrap(), *tar));
        }
    });
}

#[test]
fn tags_and_architectures_choose() {
    let dir = tempfile::tempdir().unwrap();
    let (amd, arm) = (small(), made("arm64", BOOTABLE, &[Tar::default().done()]));
    amd.write(dir.path());
    arm.write(dir.path());
    let path = format!("oci:{}", dir.path().display());
    write_index(dir.path(), &[amd.entry(&named("one")), arm.entry(&named("host.io/two:9"))]);
    assert!(failure(&path).to_string().contains("host.io/two:9, one"));
    assert_eq!(*open_local(&format!("{path}:one")).unwrap().manifest_digest(), amd.digest());
    let other = failure(&format!("{path}:9"));
    assert!(other.to_string().contains("not there for amd64: it exists for arm64"), "{other}");
    assert!(failure(&format!("{path}:none")).to_string().contains("no image named 'none'"));
    // One name for several architectures, and an index inside of the index.
    write_index(dir.path(), &[arm.entry(&platform("arm64")), amd.entry(&platform("amd64"))]);
    assert_eq!(*open_local(&path).unwrap().manifest_digest(), amd.digest());
    let inner = index_of(&[arm.entry(&platform("arm64")), amd.entry(&platform("amd64"))]);
    let digest = Digest::of(&inner);
    std::fs::write(dir.path().join("blobs/sha256").join(digest.hex()), &inner).unwrap();
    write_index(dir.path(), &[format!(r#"{{"digest":"{digest}","size":{}{}}}"#, inner.len(), named("multi"))]);
    assert_eq!(*open_local(&format!("{path}:multi")).unwrap().manifest_digest(), amd.digest());
    let pinned = open_local(&format!("{path}@{digest}")).unwrap();
    assert_eq!(*pinned.manifest_digest(), amd.digest());
}

#[test]
fn what_is_damaged_does_not_pass() {
    let dir = tempfile::tempdir().unwrap();
    let image = small();
    image.layout(dir.path(), "t");
    let path = format!("oci:{}", dir.path().display());
    let blob = dir.path().join("blobs/sha256").join(image.layers[0].hex());
    let good = std::fs::read(&blob).unwrap();
    let opened = open_local(&path).unwrap();
    let read = || read_all(opened.layer(0).unwrap()).unwrap_err();
    let mut flipped = good.clone();
    flipped[20] ^= 1;
    std::fs::write(&blob, &flipped).unwrap();
    assert!(matches!(verify_error(&read()), VerifyError::Digest { .. }));
    assert_eq!(resolve(&opened).unwrap_err().kind(), Kind::World);
    std::fs::write(&blob, &good[..good.len() - 1]).unwrap();
    assert!(matches!(verify_error(&read()), VerifyError::Size { longer: false, .. }));
    std::fs::write(&blob, [&good[..], b"x"].concat()).unwrap();
    assert!(matches!(verify_error(&read()), VerifyError::Size { longer: true, .. }));
    std::fs::remove_file(&blob).unwrap();
    assert!(opened.layer(0).err().unwrap().to_string().contains("lacks sha256:"));
    // The manifest itself.
    let manifest = dir.path().join("blobs/sha256").join(image.digest().hex());
    let mut text = image.manifest.clone();
    let last = text.len() - 1;
    text[last] = b' ';
    std::fs::write(&manifest, text).unwrap();
    assert!(failure(&path).to_string().contains("not what the manifest says"));
}

#[test]
fn a_wrong_diff_id_does_not_pass() {
    let dir = tempfile::tempdir().unwrap();
    let mut image = small();
    let text = String::from_utf8(image.manifest.clone()).unwrap();
    // A configuration that speaks of other content.
    let (old, config) =
        image.blobs.iter().find(|(_, data)| data.starts_with(b"{")).map(|(d, c)| (d.clone(), c.clone())).unwrap();
    let id = open_after(&image, dir.path()).layers()[0].diff_id.clone();
    let config = String::from_utf8(config).unwrap().replace(id.as_str(), Digest::of(b"other").as_str());
    let digest = Digest::of(config.as_bytes());
    image.manifest = text.replace(&old, digest.as_str()).into_bytes();
    image.blobs.insert(digest.to_string(), config.into_bytes());
    let opened = open_after(&image, dir.path());
    assert!(read_all(opened.layer(0).unwrap()).is_ok());
    assert!(matches!(verify_error(&read_all(opened.layer_tar(0).unwrap()).unwrap_err()), VerifyError::Digest { .. }));
    assert!(resolve(&opened).is_err());
}

fn open_after(image: &Made, dir: &Path) -> Image {
    image.layout(dir, "t");
    open_local(&format!("oci:{}", dir.display())).unwrap()
}

#[test]
fn the_wrong_kind_of_place_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    std::fs::write(&file, "not a tar file").unwrap();
    let (dir, file) = (dir.path().display(), file.display());
    for (reference, part) in [
        (format!("oci:{dir}"), "index.json"),
        (format!("oci:{file}"), "is a file"),
        (format!("oci-archive:{dir}"), "is a directory"),
        (format!("oci-archive:{file}"), "as a tar file"),
        (format!("oci:{dir}/none"), "opening"),
    ] {
        let error = failure(&reference);
        assert!(error.to_string().contains(part), "{reference}: {error}");
        assert!(error.remedy().is_some());
    }
}

#[test]
fn archives_that_would_fill_the_memory_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.tar");
    let reference = format!("oci-archive:{}", file.display());
    for (kind, what) in [(tar::EntryType::XHeader, "a header of"), (tar::EntryType::GNULongName, "a header of")] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(4 << 30);
        header.set_cksum();
        std::fs::write(&file, header.as_bytes()).unwrap();
        // Not written, and yet there.
        std::fs::File::options().write(true).open(&file).unwrap().set_len(5 << 30).unwrap();
        let error = failure(&reference);
        assert!(error.to_string().contains(what) && error.exit_code() == 3, "{error}");
    }
    let mut many = Tar::default();
    for number in 0..10_001 {
        many = many.file(&format!("{number}"), "");
    }
    std::fs::write(&file, many.done()).unwrap();
    assert!(failure(&reference).to_string().contains("more than 10000 entries"));
}
