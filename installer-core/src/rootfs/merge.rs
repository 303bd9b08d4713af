//! Layers over each other.
//!
//! The merge has libostree's semantics of a union checkout with whiteouts
//! (`ostree_repo_checkout_at`, UNION_FILES and process_whiteouts), because the result must be
//! the tree that bootc itself would have made. They differ from overlayfs in one point: a
//! directory that exists below keeps its own owner, mode and attributes.
//!
//! A path that goes through a symbolic link of a layer below belongs behind the link, as it does
//! where layers are unpacked one after the other; libostree had it so until 2024.5.

use super::layer::Layer;
use super::rules::{MAX_DEPTH, Path, is_dropped};
use super::tree::{Dir, File, Node, OPAQUE, TreeError, WHITEOUT, show, split};

/// As many symbolic links as the kernel follows in one path.
const MAX_LINKS: usize = 40;

/// All of an image: `layers`, lowest first, over its `base`, if it has one. An error comes with
/// the layer it is about.
pub fn merge<C: Clone>(base: Option<&Dir<C>>, layers: &[Dir<C>]) -> Result<Dir<C>, (usize, TreeError)> {
    let mut root = bottom(base, layers.first());
    for (index, layer) in layers.iter().enumerate() {
        lay_over(&mut root, layer).map_err(|error| (index, error))?;
    }
    Ok(root)
}

/// The trees of `layers`, with their hard links to what lies below.
pub fn settle<C: Clone>(base: Option<&Dir<C>>, layers: Vec<Layer<C>>) -> Result<Vec<Dir<C>>, (usize, TreeError)> {
    if layers.iter().all(|layer| layer.below.is_empty()) {
        return Ok(layers.into_iter().map(|layer| layer.root).collect());
    }
    let mut root = bottom(base, layers.first().map(|layer| &layer.root));
    let mut settled = Vec::new();
    for (index, layer) in layers.into_iter().enumerate() {
        let tree = settle_one(&root, layer).map_err(|error| (index, error))?;
        lay_over(&mut root, &tree).map_err(|error| (index, error))?;
        settled.push(tree);
    }
    Ok(settled)
}

/// Nothing lies below the lowest tree, so even its top directory is taken as it is; and
/// whiteouts in a base are files like others.
fn bottom<C: Clone>(base: Option<&Dir<C>>, first: Option<&Dir<C>>) -> Dir<C> {
    match (base, first) {
        (Some(base), _) => base.clone(),
        (None, Some(first)) => Dir { meta: first.meta.clone(), ..Dir::default() },
        (None, None) => Dir::default(),
    }
}

fn settle_one<C: Clone>(lower: &Dir<C>, layer: Layer<C>) -> Result<Dir<C>, TreeError> {
    let Layer { mut root, below } = layer;
    for (path, target) in below {
        let link = || (show(&path), show(&target));
        if let Some(Node::File(_)) = root.get(&target) {
            let (path, target) = link();
            return Err(TreeError::LinkToLater(path, target));
        }
        let behind = match target.split_last() {
            Some((name, parents)) => {
                let mut behind = resolve(lower, parents)?;
                behind.push(name.clone());
                behind
            }
            None => Vec::new(),
        };
        let file = match root.get(&behind).or_else(|| lower.get(&behind)) {
            Some(Node::File(file)) => file.clone(),
            Some(Node::Dir(_)) => {
                let (path, target) = link();
                return Err(TreeError::LinkToDirectory(path, target));
            }
            None => {
                let (path, target) = link();
                return Err(TreeError::DanglingLink(path, target));
            }
        };
        root.put_file(&path, file)?;
    }
    Ok(root)
}

/// Lays `upper` over `root`.
pub fn lay_over<C: Clone>(root: &mut Dir<C>, upper: &Dir<C>) -> Result<(), TreeError> {
    lay(root, &[], upper)
}

/// Lays `upper` over the directory at `at`, which is there.
fn lay<C: Clone>(root: &mut Dir<C>, at: &[Vec<u8>], upper: &Dir<C>) -> Result<(), TreeError> {
    let Some(lower) = root.dir_mut(at) else { return Err(TreeError::NotADirectory(show(at))) };
    if is_opaque(upper) {
        // libostree takes the old directory away, and with it its owner and mode.
        lower.entries.clear();
        lower.meta = upper.meta.clone();
    }
    for name in upper.entries.keys() {
        if let Some(hidden) = name.strip_prefix(WHITEOUT)
            && name != OPAQUE
        {
            lower.entries.remove(hidden);
        }
    }
    for (name, node) in &upper.entries {
        if let Node::File(file) = node
            && !name.starts_with(WHITEOUT)
        {
            lower.entries.insert(name.clone(), Node::File(file.clone()));
        }
    }
    for (name, node) in &upper.entries {
        if let Node::Dir(dir) = node {
            lay_child(root, at, name, dir)?;
        }
    }
    Ok(())
}

fn is_opaque<C>(dir: &Dir<C>) -> bool {
    dir.entries.contains_key(OPAQUE)
}

fn lay_child<C: Clone>(root: &mut Dir<C>, at: &[Vec<u8>], name: &[u8], upper: &Dir<C>) -> Result<(), TreeError> {
    let mut place = [at, &[name.to_vec()]].concat();
    if place.len() > MAX_DEPTH {
        return Err(TreeError::TooDeep(show(&place)));
    }
    let Some(lower) = root.dir_mut(at) else { return Err(TreeError::NotADirectory(show(at))) };
    let new = || Node::Dir(Dir { meta: upper.meta.clone(), ..Dir::default() });
    match lower.entries.get(name) {
        Some(Node::Dir(_)) => {}
        Some(Node::File(File { link: Some(_), .. })) if !is_opaque(upper) => {
            let behind = resolve(root, &place)?;
            if is_dropped(&behind) || matches!(&behind[..], [top] if is_dropped(&[top.clone(), Vec::new()])) {
                return Ok(());
            }
            if behind.len() > MAX_DEPTH {
                return Err(TreeError::TooDeep(show(&behind)));
            }
            match root.get(&behind) {
                // The link leads to no directory, so one of its name takes its place.
                Some(Node::File(_)) if upper.named => {
                    let Some(lower) = root.dir_mut(at) else { return Err(TreeError::NotADirectory(show(at))) };
                    lower.entries.insert(name.to_vec(), new());
                }
                Some(Node::File(_)) => return Err(TreeError::NotADirectory(show(&behind))),
                None if !behind.is_empty() => {
                    root.put_dir(&behind, upper.meta.clone())?;
                    place = behind;
                }
                _ => place = behind,
            }
        }
        _ => {
            lower.entries.insert(name.to_vec(), new());
        }
    }
    lay(root, &place, upper)
}

/// Where `path` leads in `root`, through symbolic links, the last one too. What is not there is
/// taken as it is named. `/etc` is where the tree has it, in `/usr/etc`.
pub fn resolve<C>(root: &Dir<C>, path: &[Vec<u8>]) -> Result<Path, TreeError> {
    let mut at: Path = Vec::new();
    let mut todo: Vec<Vec<u8>> = path.iter().rev().cloned().collect();
    let mut links = 0;
    while let Some(name) = todo.pop() {
        if name == b".." {
            at.pop();
            continue;
        }
        at.push(name);
        // As programs will see it, so that `..` leads out of it to the root.
        if matches!(&at[..], [usr, etc] if usr == b"usr" && etc == b"etc") {
            at.remove(0);
        }
        let Some(Node::File(file)) = root.get(&stored(&at)) else { continue };
        let Some(link) = &file.link else {
            if todo.is_empty() {
                break;
            }
            return Err(TreeError::NotADirectory(show(&[&at[..], &todo[todo.len() - 1..]].concat())));
        };
        links += 1;
        if links > MAX_LINKS {
            return Err(TreeError::Circle(show(path)));
        }
        at.pop();
        if link.starts_with(b"/") {
            at.clear();
        }
        todo.extend(split(link).into_iter().rev());
        if todo.len() + at.len() > 4 * MAX_DEPTH {
            return Err(TreeError::TooDeep(show(path)));
        }
    }
    Ok(stored(&at))
}

/// Where the tree has what programs will see at `path`.
fn stored(path: &[Vec<u8>]) -> Path {
    match path.first() {
        Some(first) if first == b"etc" => [&[b"usr".to_vec()], path].concat(),
        _ => path.to_vec(),
    }
}

/// The file at a `/`-separated path, as programs will see it: through symbolic links, and `etc`
/// in its place.
pub fn file<'a, C>(root: &'a Dir<C>, path: &str) -> Option<&'a File<C>> {
    match root.get(&resolve(root, &split(path.as_bytes())).ok()?)? {
        Node::File(file) => Some(file),
        Node::Dir(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Meta;
    use super::*;

    fn file(tag: u8) -> File<u8> {
        File { meta: Meta::default_directory(), content: tag, empty: tag == 0, link: None }
    }

    /// `path` for an object, `path/` for a directory with mode 0700.
    fn tree(entries: &[(&str, u8)]) -> Dir<u8> {
        let mut root = Dir::default();
        for (path, tag) in entries {
            let names = split(path.as_bytes());
            if path.ends_with('/') {
                root.put_dir(&names, Meta { mode: u32::from(*tag), ..Meta::default_directory() }).unwrap();
            } else {
                root.put_file(&names, file(*tag)).unwrap();
            }
        }
        root
    }

    fn over(lower: &mut Dir<u8>, upper: &Dir<u8>) {
        lay_over(lower, upper).unwrap();
    }

    /// Puts a symbolic link into `root`.
    fn link(root: &mut Dir<u8>, path: &str, to: &str) {
        root.put_file(&split(path.as_bytes()), File { link: Some(to.as_bytes().into()), ..file(9) }).unwrap();
    }

    fn listing(dir: &Dir<u8>) -> Vec<String> {
        let mut out = Vec::new();
        for (name, node) in &dir.entries {
            let name = String::from_utf8_lossy(name);
            match node {
                Node::Dir(sub) => {
                    out.push(format!("{name}/ {}", sub.meta.mode));
                    out.extend(listing(sub).into_iter().map(|line| format!("{name}/{line}")));
                }
                Node::File(File { link: Some(to), .. }) => {
                    out.push(format!("{name} -> {}", String::from_utf8_lossy(to)))
                }
                Node::File(file) => out.push(format!("{name} {}", file.content)),
            }
        }
        out
    }

    #[test]
    fn whiteouts_hide_what_lies_below_and_only_that() {
        let mut lower = tree(&[("usr/", 7), ("usr/a", 1), ("usr/b", 1), ("usr/d/x", 1)]);
        over(&mut lower, &tree(&[("usr/.wh.a", 0), ("usr/.wh.d", 0), ("usr/d/y", 2), ("usr/.wh.b", 0), ("usr/b", 3)]));
        assert_eq!(listing(&lower), ["usr/ 7", "usr/b 3", "usr/d/ 493", "usr/d/y 2"]);
    }

    #[test]
    fn an_opaque_directory_starts_empty() {
        let mut lower = tree(&[("etc/old/", 5), ("etc/old/a", 1), ("etc/b", 1)]);
        over(&mut lower, &tree(&[("etc/old/.wh..wh..opq", 0), ("etc/old/new", 2)]));
        assert_eq!(listing(&lower), ["etc/ 493", "etc/b 1", "etc/old/ 493", "etc/old/new 2"]);
    }

    #[test]
    fn a_lower_directory_keeps_its_own_mode() {
        let mut lower = tree(&[("var/", 5)]);
        over(&mut lower, &tree(&[("var/", 9), ("new/", 9)]));
        assert_eq!(listing(&lower), ["new/ 9", "var/ 5"]);
    }

    #[test]
    fn kinds_replace_each_other() {
        let mut lower = tree(&[("a", 1), ("b/c", 1)]);
        over(&mut lower, &tree(&[("a/x", 2), ("b", 2)]));
        assert_eq!(listing(&lower), ["a/ 493", "a/x 2", "b 2"]);
    }

    #[test]
    fn no_whiteout_outlives_the_merge() {
        let mut lower = Dir::default();
        over(&mut lower, &tree(&[("new/.wh.gone", 0), ("new/.wh..wh..opq", 0), ("new/f", 4)]));
        assert_eq!(listing(&lower), ["new/ 493", "new/f 4"]);
    }

    fn at(dir: &Dir<u8>, path: &str) -> Option<u8> {
        match dir.find(path)? {
            Node::File(file) => Some(file.content),
            Node::Dir(_) => None,
        }
    }

    /// The links that distributions have.
    fn merged_usr() -> Dir<u8> {
        let mut root =
            tree(&[("usr/bin/sh", 1), ("usr/lib/os", 1), ("usr/lib64/", 7), ("usr/etc/d/x", 1), ("var/", 7)]);
        for (path, to) in [
            ("bin", "usr/bin"),
            ("lib", "/usr/lib"),
            ("root", "var/roothome"),
            ("usr/tmp", "../var/tmp"),
            ("usr/local", "../var/usrlocal"),
            ("usr/etc/alias", "d"),
            ("usr/share", "lib/../../lib"),
            ("var/run", "/run"),
            ("var/lock", "../run/lock"),
            ("usr/conf", "/etc/d"),
            ("usr/sh", "bin/sh"),
            ("up", "../../../../usr/bin"),
            ("circle", "circle2/x"),
            ("circle2", "circle"),
        ] {
            link(&mut root, path, to);
        }
        root
    }

    #[test]
    fn what_goes_through_a_link_is_behind_it() {
        let mut root = merged_usr();
        over(
            &mut root,
            &tree(&[
                ("bin/tool", 2),
                ("lib/foo.so", 2),
                ("root/.ssh/authorized_keys", 2),
                ("usr/tmp/t", 2),
                ("usr/local/bin/deep/l", 2),
                ("usr/etc/alias/y", 2),
                ("usr/share/z", 2),
                ("var/run/gone", 2),
                ("var/lock/gone", 2),
                ("usr/conf/w", 2),
                ("up/q", 2),
            ]),
        );
        for path in [
            "usr/bin/tool",
            "usr/lib/foo.so",
            "var/roothome/.ssh/authorized_keys",
            "var/tmp/t",
            "var/usrlocal/bin/deep/l",
            "usr/etc/d/y",
            "usr/lib/z",
            "usr/etc/d/w",
            "usr/bin/q",
        ] {
            assert_eq!(at(&root, path), Some(2), "{path}: {:#?}", listing(&root));
        }
        for link in ["bin", "lib", "root", "usr/tmp", "usr/local", "usr/share", "var/run", "var/lock", "up"] {
            assert_eq!(at(&root, link), Some(9), "{link} stays a link");
        }
        assert!(root.find("run").is_none() && root.find("etc").is_none());
        assert_eq!(at(&root, "usr/bin/sh"), Some(1));
    }

    #[test]
    fn whiteouts_go_through_links_too() {
        let mut root = merged_usr();
        over(&mut root, &tree(&[("bin/.wh.sh", 0), ("lib/.wh.os", 0), ("usr/etc/alias/.wh.x", 0)]));
        assert_eq!([at(&root, "usr/bin/sh"), at(&root, "usr/lib/os"), at(&root, "usr/etc/d/x")], [None; 3]);
        assert_eq!(at(&root, "bin"), Some(9));
        // An opaque directory takes the place of what was there, a link too; a whiteout takes it away.
        over(&mut root, &tree(&[("bin/.wh..wh..opq", 0), ("bin/new", 3), (".wh.lib", 0)]));
        assert_eq!((at(&root, "bin/new"), at(&root, "lib")), (Some(3), None));
    }

    #[test]
    fn links_that_lead_nowhere_good_are_errors() {
        let mut root = merged_usr();
        assert_eq!(lay_over(&mut root, &tree(&[("circle/x", 1)])), Err(TreeError::Circle("circle".into())));
        let error = lay_over(&mut root, &tree(&[("usr/sh/x", 1)]));
        assert_eq!(error, Err(TreeError::NotADirectory("usr/bin/sh".into())));
        let mut deep = Dir::default();
        link(&mut deep, "l", &"d/".repeat(250));
        let error = lay_over(&mut deep, &tree(&[(&format!("l/{}x", "e/".repeat(10)), 1)]));
        assert!(matches!(error, Err(TreeError::TooDeep(_))), "{error:?}");
    }

    #[test]
    fn a_hard_link_may_lead_below() {
        let layer = |root: Dir<u8>, below: &[(&str, &str)]| {
            let names = |path: &str| split(path.as_bytes());
            Layer { root, below: below.iter().map(|(path, to)| (names(path), names(to))).collect() }
        };
        let of = |upper: Dir<u8>, below: &[(&str, &str)]| {
            settle(None, vec![layer(merged_usr(), &[]), layer(upper, below)]).map(|trees| trees[1].clone())
        };
        let upper = || tree(&[("usr/bin/own", 5)]);
        let settled = of(upper(), &[("a", "usr/bin/sh"), ("b", "bin/sh"), ("c", "bin/own"), ("d", "bin")]).unwrap();
        assert_eq!(["a", "b", "c"].map(|path| at(&settled, path)), [Some(1), Some(1), Some(5)]);
        assert_eq!(at(&settled, "d"), Some(9), "a link may have two names as well");
        for (target, why) in [
            ("usr/nothing", "neither in the layer nor below it"),
            ("usr/bin", "which is a directory"),
            ("usr/bin/own", "comes later in the layer"),
            ("circle/x", "in a circle"),
            ("", "neither in the layer nor below it"),
        ] {
            let (index, error) = of(upper(), &[("a", target)]).unwrap_err();
            assert!(index == 1 && error.to_string().contains(why), "{target}: {error}");
        }
    }

    #[test]
    fn a_name_is_of_one_kind_in_a_layer() {
        let mut root = tree(&[("a/b", 1), ("c", 1)]);
        let names = |p: &str| split(p.as_bytes());
        assert_eq!(root.put_file(&names("a"), file(2)), Err(TreeError::TwoKinds("a".into())));
        assert_eq!(root.put_dir(&names("c"), Meta::default_directory()), Err(TreeError::TwoKinds("c".into())));
        root.put_file(&names("c"), file(3)).unwrap();
        assert_eq!(listing(&root), ["a/ 493", "a/b 1", "c 3"]);
    }
}
