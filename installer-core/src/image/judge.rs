//! The look's judgement: whether the image can be imported and deployed, by the same reading, the
//! same rules and the same merge as the import ([`crate::rootfs`]). What cannot is refused here,
//! where nothing is lost yet.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::BufReader;

use crate::error::{Error, Result, Stage};
use crate::event::Event;
use crate::rootfs::gvariant::Checksum;
use crate::rootfs::layer::Layer;
use crate::rootfs::objects::ObjectSet;
use crate::rootfs::rules::Budget;
use crate::rootfs::{Dir, LayerError, Node, base, deployable, merge};
use crate::units::{Bytes, hex};

use super::facts::{Largest, Needs};
use super::layers::{Progress, side_by_side};
use super::merged::Merged;
use super::open::Image;
use super::scan::{self, Held, How, Id, Looked, Most, Read1, Seen, Want};
use super::verify::read_error;

/// In the order in which libostree looks for them.
pub(super) const OS_RELEASE: [&str; 2] = ["usr/lib/os-release", "etc/os-release"];

/// What came of the look.
pub(super) struct Whole {
    pub merged: Merged,
    /// How many entries the layers have.
    pub entries: u64,
    pub unpacked: Bytes,
    pub needs: Needs,
}

/// Reads and merges all layers. `want` is what is wanted of paths, all of which are below `roots`.
pub(super) fn whole(image: &Image, roots: &[&str], want: &(dyn Fn(&str) -> Want + Sync)) -> Result<Whole> {
    let in_base = image.base_layers()?;
    let looked = look_at_all(image, in_base, want)?;
    let mut all = All::default();
    let (mut sets, mut layers) = (Vec::new(), Vec::new());
    for layer in looked {
        match all.take(layer) {
            Read1::Base(set) => sets.push(set),
            Read1::Plain(layer) => layers.push(layer),
        }
    }
    let base = base_tree(image, &sets, &all)?;
    let trees = trees(image, base.as_ref(), layers, &mut all)?;
    if base.is_some() {
        let known: BTreeSet<&Checksum> = sets.iter().flat_map(|set| set.files.keys()).collect();
        for tree in &trees {
            objects_are_there(tree, &known)?;
        }
    }
    let tree = merge::merge(base.as_ref(), &trees)
        .map_err(|(index, error)| in_layer(image, in_base + index, &error.to_string()))?;
    deployable::check(&tree).map_err(|unfit| {
        Error::world(Stage::Resolve, format!("{} cannot be deployed: {unfit}", image.reference())).hint(unfit.remedy)
    })?;
    let needs = needs(&tree, &trees, &sets, all.most);
    let mut merged = Merged::new(tree, all.held, roots, want);
    read_again(image, &mut merged, &sets)?;
    merged.check_sizes()?;
    os_release(&merged)?;
    Ok(Whole { merged, entries: all.entries, unpacked: Bytes(all.unpacked), needs })
}

/// What all layers have together.
#[derive(Default)]
struct All {
    entries: u64,
    unpacked: u64,
    held: HashMap<Id, Held>,
    metadata: HashMap<Checksum, Vec<u8>>,
    sizes: HashMap<Checksum, u64>,
    most: Most,
}

impl All {
    fn take(&mut self, layer: Looked) -> Read1 {
        self.entries += layer.entries;
        self.unpacked = self.unpacked.saturating_add(layer.unpacked);
        self.held.extend(layer.held);
        self.metadata.extend(layer.metadata);
        self.sizes.extend(layer.sizes);
        self.most.join(&layer.most);
        layer.read
    }
}

fn look_at_all(image: &Image, in_base: usize, want: &(dyn Fn(&str) -> Want + Sync)) -> Result<Vec<Looked>> {
    let sizes: Vec<Bytes> = image.layers().iter().map(|layer| layer.size).collect();
    let (count, total) = (sizes.len(), image.download_size());
    image.events.emit(&Event::Looking { image: image.reference().to_string(), layers: count, size: total });
    let progress = Progress::new(total, Stage::Resolve, &*image.events, &image.cancel);
    let budget = Budget::default();
    side_by_side(&sizes, |index| {
        let counted = image.tar_for_scan(index, |raw| progress.counted(raw))?;
        let how = How { layer: number(index), in_base: number(in_base), want, budget: &budget };
        let looked = scan::look(BufReader::with_capacity(256 << 10, counted), how);
        let looked = looked.map_err(|error| layer_error(image, index, error))?;
        image.events.emit(&Event::LayerRead { layer: index + 1, layers: count });
        Ok(looked)
    })
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn doing(image: &Image, index: usize) -> String {
    let digest = &image.layers()[index].digest;
    format!("reading layer {} of {} ({})", index + 1, image.layers().len(), digest.short())
}

/// What is wrong with a layer, as an error of the image's.
fn layer_error(image: &Image, index: usize, error: LayerError) -> Error {
    match error {
        LayerError::Io(source) => read_error(Stage::Resolve, doing(image, index), source),
        LayerError::Entry { path, source } => {
            read_error(Stage::Resolve, format!("{}: '{path}'", doing(image, index)), source)
        }
        other => in_layer(image, index, &other.to_string()),
    }
}

fn in_layer(image: &Image, index: usize, why: &str) -> Error {
    Error::world(Stage::Resolve, format!("{}: {why}", doing(image, index)))
        .hint("an image with that cannot be installed: change what makes this layer, and push the image again")
}

/// The tree of an encapsulated image's commit.
fn base_tree(image: &Image, sets: &[ObjectSet], all: &All) -> Result<Option<Dir<Seen>>> {
    if sets.is_empty() {
        return Ok(None);
    }
    let fetch = |sum: &Checksum, _: &str| Ok(all.metadata.get(sum).cloned());
    let content = |sum: &Checksum| Seen { id: Id::Object(*sum), size: all.sizes.get(sum).copied().unwrap_or(0) };
    let (_, tree) = base::assemble(sets, &fetch, &content).map_err(|error| {
        Error::world(Stage::Resolve, format!("{}: {error}", image.reference()))
            .hint("its OSTree commit is damaged: encapsulate and push it again")
    })?;
    Ok(Some(tree))
}

/// The trees of the plain layers.
fn trees(
    image: &Image,
    base: Option<&Dir<Seen>>,
    mut layers: Vec<Layer<Seen>>,
    all: &mut All,
) -> Result<Vec<Dir<Seen>>> {
    let in_base = image.base_layers()?;
    if let Some(base) = base {
        let any_root = match base.find(base::PREPARE_ROOT) {
            Some(Node::File(file)) => prepare_root(image, file.content.id, all)?,
            _ => false,
        };
        for layer in &mut layers {
            base::filter(&mut layer.root, any_root);
        }
    }
    merge::settle(base, layers).map_err(|(index, error)| in_layer(image, in_base + index, &error.to_string()))
}

/// What a base says of its root, which may have gone by under another name.
fn prepare_root(image: &Image, id: Id, all: &mut All) -> Result<bool> {
    if !all.held.contains_key(&id) {
        let wanted = BTreeMap::from([(id, Want::Content)]);
        for index in 0..image.base_layers()? {
            all.held.extend(second(image, index, &wanted)?);
        }
    }
    let Some(Held::Content(text)) = all.held.get(&id) else { return Ok(false) };
    let text = std::str::from_utf8(text).map_err(|error| {
        Error::world(Stage::Resolve, format!("/{} of the image cannot be read: {error}", base::PREPARE_ROOT))
            .hint("correct it in the image")
    })?;
    Ok(base::any_root(text))
}

/// Whether every object that a layer above links to is in the base.
fn objects_are_there(dir: &Dir<Seen>, known: &BTreeSet<&Checksum>) -> Result<()> {
    for (name, node) in &dir.entries {
        match node {
            Node::Dir(dir) => objects_are_there(dir, known)?,
            Node::File(file) => {
                if let Id::Object(sum) = &file.content.id
                    && !known.contains(sum)
                {
                    let (name, sum) = (crate::rootfs::tree::say(name), hex(sum));
                    let told = format!("'{name}': no layer brings the object {sum}");
                    return Err(Error::world(Stage::Resolve, told)
                        .hint("the image must keep the layers of its base: build it without squashing"));
                }
            }
        }
    }
    Ok(())
}

// ---- second passes ----

fn read_again(image: &Image, merged: &mut Merged, sets: &[ObjectSet]) -> Result<()> {
    let mut by_layer: BTreeMap<usize, BTreeMap<Id, Want>> = BTreeMap::new();
    for (id, want) in merged.missing() {
        let layer = match &id {
            Id::Entry(layer, _) => Some(*layer as usize),
            Id::Object(sum) => sets.iter().position(|set| set.files.contains_key(sum)),
        };
        if let Some(layer) = layer {
            by_layer.entry(layer).or_default().insert(id, want);
        }
    }
    for (index, wanted) in by_layer {
        let held = second(image, index, &wanted)?;
        merged.fill(held);
    }
    Ok(())
}

/// Rare: what is wanted had another name when it went by.
fn second(image: &Image, index: usize, wanted: &BTreeMap<Id, Want>) -> Result<HashMap<Id, Held>> {
    let again = BufReader::with_capacity(256 << 10, image.tar_for_scan(index, |raw| raw)?);
    scan::again(again, number(index), wanted).map_err(|error| layer_error(image, index, error))
}

// ---- what it says and needs ----

/// libostree takes the title of the boot entry from it, and stops where there is none.
fn os_release(merged: &Merged) -> Result<()> {
    let path = OS_RELEASE.iter().find(|path| merged.has(path)).unwrap_or(&OS_RELEASE[0]);
    let text = merged.text(path).map(std::str::from_utf8);
    let named = |line: &str| ["PRETTY_NAME=", "ID="].iter().any(|key| line.starts_with(key));
    if matches!(text, Some(Ok(text)) if text.lines().any(named)) {
        return Ok(());
    }
    let why = if matches!(text, Some(Err(_))) { "is not UTF-8" } else { "has neither PRETTY_NAME nor ID" };
    Err(Error::world(Stage::Resolve, format!("/{path} of the image {why}"))
        .hint("install the distribution's os-release in the image"))
}

/// What the target's file system has to have for it. The repository has an object for every file
/// and directory of every layer; the deployment has directories, copies of empty files, /etc and
/// /var.
fn needs(tree: &Dir<Seen>, layers: &[Dir<Seen>], sets: &[ObjectSet], most: Most) -> Needs {
    let whole = Count::of(tree);
    let above = layers.iter().map(Count::of).fold(Count::default(), Count::and);
    let objects: u64 = sets.iter().map(|set| set.files.len() as u64).sum();
    let copies = [tree.find("usr/etc"), tree.find("var")].into_iter().flatten();
    let copies: u64 = copies.map(|node| if let Node::Dir(dir) = node { Count::of(dir).all() } else { 0 }).sum();
    let deployed = whole.dirs + whole.empty + copies;
    let largest = |found: Option<(u64, String)>| found.map(|(bytes, path)| Largest { bytes: Bytes(bytes), path });
    Needs {
        inodes: objects + above.all() + whole.dirs + deployed + OWN_INODES,
        attributes: largest(most.attributes),
        attribute: largest(most.value),
        link: largest(most.link),
    }
}

/// Of the repository and what is written beside the image: 256 directories and a few hundred files.
const OWN_INODES: u64 = 2048;

#[derive(Clone, Copy, Default)]
struct Count {
    files: u64,
    empty: u64,
    dirs: u64,
}

impl Count {
    fn of(dir: &Dir<Seen>) -> Count {
        let mut count = Count { dirs: 1, ..Count::default() };
        for node in dir.entries.values() {
            match node {
                Node::Dir(dir) => count = count.and(Count::of(dir)),
                Node::File(file) => {
                    count.files += 1;
                    count.empty += u64::from(file.empty);
                }
            }
        }
        count
    }

    fn and(self, other: Count) -> Count {
        Count { files: self.files + other.files, empty: self.empty + other.empty, dirs: self.dirs + other.dirs }
    }

    fn all(self) -> u64 {
        self.files + self.dirs
    }
}
