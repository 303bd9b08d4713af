//! From a request to a plan that can be carried out here and now. Reads only.

use std::path::Path;
use std::sync::Arc;

use super::download_guard::{self, AfterWipe, AtRisk};
use super::overrides::require_place;
use super::registry_access::{kept, registry_access};
use crate::apply;
use crate::error::{Error, Result, Stage};
use crate::event::Sink;
use crate::host::{Host as _, Real};
use crate::image::{self, Access, CacheIn, Image, ImageFacts, ImageReference};
use crate::machine;
use crate::plan::{self, Plan, Specs, oci_architecture};
use crate::request::Request;
use crate::units::{Bytes, Digest};

/// All that is known before the first write.
#[derive(Debug)]
pub struct Prepared {
    /// What will be done.
    pub plan: Plan,
    /// The image, opened.
    pub image: Image,
    /// And read.
    pub facts: ImageFacts,
}

/// What the caller knows, and allows, before it begins.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The plan that was reviewed; any other is refused.
    pub plan: Option<&'a Digest>,
    /// What was read of an image; if it is this one, that is not done again.
    pub facts: Option<&'a ImageFacts>,
    /// If memory cannot keep the image.
    pub after_wipe: AfterWipe,
}

/// Looks at this machine and at the image `reference`, plans, and makes sure that the plan is
/// the one that was reviewed and can be carried out here.
pub fn prepare(
    request: &Request,
    reference: &str,
    access: &Access,
    before: Before<'_>,
    events: Arc<dyn Sink>,
) -> Result<Prepared> {
    // Before gigabytes are fetched for nothing.
    apply::clear_leftovers(&Real)?;
    apply::require_ostree()?;
    if let Some(file) = &request.disks.image_file {
        require_place(file)?;
    }
    let machine = machine::probe()?;
    let at_risk = AtRisk::of(request, &machine, before.after_wipe)?;
    let (cache_in, cache_limit) = download_guard::room(request);
    let access = Access { cache_in, cache_limit, ..registry_access(request, access) };
    let image = open(reference, &machine.arch, &access, events)?;
    at_risk.fits(&image, cache_limit)?;
    let known = match before.facts {
        // What can wait costs nothing to be read, and verified, before the first write; and who takes
        // the risk that the registry fails has not said that it may have damaged layers.
        Some(facts) if at_risk.is_nothing() && facts.download_size > cache_limit && facts.system.is_some() => {
            image.reusable_facts(facts)?
        }
        _ => None,
    };
    if known.is_some() {
        tracing::info!("the image is known: its layers are read once, when they are installed");
    }
    let facts = known.map_or_else(|| image::resolve(&image), Ok)?;
    at_risk.is_safe(&image)?;
    let mut plan = plan::plan(request, &machine, &facts)?;
    plan.credentials = kept(request, &plan)?;
    let digest = plan.digest()?;
    if let Some(wanted) = before.plan.filter(|wanted| **wanted != digest) {
        return Err(Error::refused(Stage::Plan, format!("the plan is {digest} now, and {wanted} was reviewed"))
            .hint("something changed since: look at the plan again"));
    }
    apply::preflight(&plan, &facts, &machine)?;
    Ok(Prepared { plan, image, facts })
}

/// Opens `reference` for a machine (`arch` as `uname -m` has it) and reads its facts.
pub fn look(reference: &str, arch: &str, access: &Access, events: Arc<dyn Sink>) -> Result<(Image, ImageFacts)> {
    let image = open(reference, arch, access, events)?;
    let facts = image::resolve(&image)?;
    Ok((image, facts))
}

fn open(reference: &str, arch: &str, access: &Access, events: Arc<dyn Sink>) -> Result<Image> {
    let reference: ImageReference = reference.parse()?;
    image::open(&reference, oci_architecture(arch), access, events)
}

/// File systems that another program made and mounted.
#[derive(Debug)]
pub struct Onto<'a> {
    /// Where the root is mounted.
    pub root: &'a Path,
    /// How they are found when the system starts.
    pub specs: Specs,
}

/// [`prepare`] for file systems that are mounted already.
pub fn prepare_to_filesystem(
    request: &Request,
    onto: &Onto<'_>,
    reference: &str,
    access: &Access,
    events: Arc<dyn Sink>,
) -> Result<Prepared> {
    apply::clear_leftovers(&Real)?;
    apply::require_ostree()?;
    let machine = machine::probe()?;
    let mounted = machine::mounted(onto.root)?;
    for area in &mounted.areas {
        Real.thaw(&onto.root.join(area.at.as_str().trim_start_matches('/')));
    }
    // There must be room for the image anyway.
    let (cache_in, cache_limit) = (CacheIn::Directory(onto.root.to_owned()), Bytes(mounted.free.0 / 4));
    let access = Access { cache_in, cache_limit, ..access.clone() };
    let (image, facts) = look(reference, &machine.arch, &access, events)?;
    let plan = plan::to_filesystem(request, &onto.specs, &mounted, &machine, &facts)?;
    apply::preflight(&plan, &facts, &machine)?;
    Ok(Prepared { plan, image, facts })
}
