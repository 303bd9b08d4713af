//! SELinux labels: a labelled base keeps its own, the layers above get theirs from the policy
//! of the whole, and a policy that a layer changes reaches the base as well.

use std::path::Path;

use installer_core::Stage;
use installer_core::deploy::labels::Policy;

use super::encapsulate::Xattrs;
use super::world::{assert_same, commit, host, listing, ostree, try_import, write};
use super::{Source, change_by_hand, entry, layer_above};

const RULES: &str = "/.* system_u:object_r:default_t:s0\n/usr(/.*)? system_u:object_r:usr_t:s0\n\
    /usr/bin(/.*)? system_u:object_r:bin_t:s0\n/etc(/.*)? system_u:object_r:etc_t:s0\n";
const MORE: &str = "/usr/lib/many(/.*)? system_u:object_r:many_t:s0\n";

fn policy(root: &Path, rules: &str) {
    write(root, "usr/etc/selinux/config", 0o644, "SELINUX=permissive\nSELINUXTYPE=mini\n");
    write(root, "usr/etc/selinux/mini/policy/policy.33", 0o644, "not read by the labelling");
    write(root, "usr/etc/selinux/mini/contexts/files/file_contexts", 0o644, rules);
    write(root, "usr/lib/ostree/prepare-root.conf", 0o644, "[composefs]\nenabled=true\n");
    // An older libostree appends the label to the list, and cannot read back what it wrote if
    // the list is no longer sorted.
    for (path, names) in [("usr/lib/many", &["user.dir"][..]), ("usr/lib/many/7", &["user.long", "user.empty"])] {
        names.iter().for_each(|name| _ = rustix::fs::lremovexattr(root.join(path), *name));
    }
}

/// What libostree makes of the base with changes, labelled by the result's own policy.
fn expected(source: &Source, change: impl FnOnce(&Path)) -> String {
    let root = source.dir.path().join("reference");
    ostree(&source.repo(), &["checkout", "--union", "--force-copy", &source.commit, root.to_str().unwrap()]);
    change(&root);
    let selinux = format!("--selinux-policy={}", root.display());
    let commit = commit(&source.repo(), &root, "reference", &[&selinux]);
    listing(&source.repo(), &commit)
}

fn labelled(more: impl FnOnce(&Path)) -> Source {
    let policy_dir = tempfile::tempdir().unwrap();
    policy(policy_dir.path(), RULES);
    let selinux = format!("--selinux-policy={}", policy_dir.path().display());
    let prepare = |root: &Path| {
        policy(root, RULES);
        more(root);
    };
    Source::new(prepare, 2, Xattrs::Repeated, &[&selinux])
}

#[test]
fn layers_above_a_labelled_base_get_labels() {
    let mut source = labelled(|_| ());
    assert!(listing(&source.repo(), &source.commit).contains("bin_t"));
    let remove = |root: &Path| std::fs::remove_file(root.join("usr/etc/resolv.conf")).unwrap();
    let alone = try_import(&source.layers, 3, true).unwrap();
    assert_same(&listing(&alone.repo, &alone.commit), &expected(&source, remove));
    std::fs::remove_dir_all(source.dir.path().join("reference")).unwrap();

    source.layers.push(layer_above(&source));
    let result = try_import(&source.layers, 3, true).unwrap();
    ostree(&result.repo, &["fsck"]);
    let reference = expected(&source, |root| {
        change_by_hand(root);
        write(root, "opt/tool/run", 0o755, "tool");
    });
    assert_same(&listing(&result.repo, &result.commit), &reference);
    assert_eq!(listing(&result.repo, &source.commit), listing(&source.repo(), &source.commit));
    let left = std::fs::read_dir(result.repo.join("tmp")).unwrap().flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("bootc-ks")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_changed_policy_relabels_the_base() {
    let mut source = labelled(|_| ());
    let rules = format!("{RULES}{MORE}");
    let mut tar = tar::Builder::new(Vec::new());
    entry(&mut tar, "etc/selinux/mini/contexts/files/file_contexts", 0o644, rules.as_bytes());
    source.layers.push(tar.into_inner().unwrap());
    let result = try_import(&source.layers, 3, true).unwrap();
    ostree(&result.repo, &["fsck"]);
    let reference = expected(&source, |root| {
        policy(root, &rules);
        std::fs::remove_file(root.join("usr/etc/resolv.conf")).unwrap();
    });
    assert!(reference.contains("many_t"));
    assert_same(&listing(&result.repo, &result.commit), &reference);
    assert_eq!(listing(&result.repo, &source.commit), listing(&source.repo(), &source.commit));
}

#[test]
fn a_base_without_labels_gets_them() {
    let source = Source::new(|root| policy(root, RULES), 1, Xattrs::Linked, &[]);
    assert!(!listing(&source.repo(), &source.commit).contains("bin_t"));
    let result = try_import(&source.layers, 2, true).unwrap();
    ostree(&result.repo, &["fsck"]);
    let reference = expected(&source, |root| std::fs::remove_file(root.join("usr/etc/resolv.conf")).unwrap());
    assert!(reference.contains("bin_t"));
    assert_same(&listing(&result.repo, &result.commit), &reference);
}

#[test]
fn the_policy_is_asked_by_many_threads_at_once() {
    let root = tempfile::tempdir().unwrap();
    policy(root.path(), RULES);
    let ask = || {
        for _ in 0..5 {
            let policy = Policy { root: root.path(), host: host() };
            let paths = vec![("/usr/bin/x".to_owned(), 0o100_755), ("/usr".to_owned(), 0o040_755)];
            let labels = policy.labels(Stage::Image, paths).unwrap();
            let expected = [b"system_u:object_r:bin_t:s0\0".to_vec(), b"system_u:object_r:usr_t:s0\0".to_vec()];
            assert_eq!(labels, expected.map(Some));
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(ask)));
}

#[test]
fn a_policy_that_cannot_be_loaded_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let policy = Policy { root: root.path(), host: host() };
    let error = policy.labels(Stage::Image, vec![("/usr".to_owned(), 0o040_755)]).unwrap_err();
    assert!(error.to_string().contains("the image's SELinux policy could not be loaded"), "{error}");
}
