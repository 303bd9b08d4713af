//! What an image lacks for a kickstart, at the lines of the kickstart.

use kickstart_parser::kickstart::{Given, Kickstart};
use kickstart_parser::{Diagnostic, SourceId, Sources, Span};

use crate::image::ImageFacts;
use crate::plan::{Incompatibility, Subject, incompatibilities};
use crate::request::{IMAGE_DOUBT, IMAGE_LACKS, Request, in_kickstart};
use crate::system::Topic;

/// The codes that only image facts can tell of.
pub fn is_about_image(code: &str) -> bool {
    [IMAGE_LACKS.id, IMAGE_DOUBT.id].iter().any(|id| id.eq_ignore_ascii_case(code))
}

/// Every finding about the image. `sound` says whether the request is whole: of partitions
/// that were refused nothing more is said.
pub fn findings(
    kickstart: &Kickstart,
    sources: &Sources,
    request: &Request,
    facts: &ImageFacts,
    sound: bool,
) -> Vec<Diagnostic> {
    incompatibilities(request, facts)
        .into_iter()
        .filter(|incompatibility| {
            sound || !matches!(incompatibility.subject, Subject::Layout | Subject::Root | Subject::Boot)
        })
        .map(|incompatibility| diagnostic(incompatibility, kickstart, sources))
        .collect()
}

fn diagnostic(incompatibility: Incompatibility, kickstart: &Kickstart, sources: &Sources) -> Diagnostic {
    let code = if incompatibility.fatal { &IMAGE_LACKS } else { &IMAGE_DOUBT };
    let container = kickstart.ostreecontainer.as_ref().map(|container| container.span);
    let image = container.or_else(|| kickstart.bootc.as_ref().map(|bootc| bootc.span));
    let span = place(incompatibility.subject, kickstart).or(image).unwrap_or_else(|| end(sources));
    let mut diagnostic = Diagnostic::new(code, span, incompatibility.message);
    if let Some(image) = image.filter(|image| *image != span) {
        diagnostic = diagnostic.label(image, "the image");
    }
    match incompatibility.hint {
        Some(hint) => diagnostic.help(hint.say(&in_kickstart)),
        None => diagnostic,
    }
}

/// The line that asks for it; of what no line asks for, the line of the image is the place.
fn place(subject: Subject, kickstart: &Kickstart) -> Option<Span> {
    match subject {
        Subject::Image => None,
        Subject::Root => mounted_at("/", kickstart),
        Subject::Boot => mounted_at("/boot", kickstart),
        Subject::Layout => {
            let lays_out = |given: &&Given| matches!(given.name, "autopart" | "part" | "partition");
            kickstart.given.iter().find(lays_out).map(|given| given.span)
        }
        Subject::BootLoader => kickstart.bootloader.as_ref().map(|bootloader| bootloader.span),
        Subject::Selinux => kickstart.selinux.as_ref().map(|selinux| selinux.span),
        Subject::System(topic) => last_of(commands(topic), kickstart),
    }
}

/// The last line of one of these commands, which counts.
fn last_of(commands: &[&str], kickstart: &Kickstart) -> Option<Span> {
    let given = kickstart.given.iter().rev().find(|given| commands.contains(&given.name));
    given.map(|given| given.span)
}

/// The commands that ask for what a topic is about.
fn commands(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::Language => &["lang"],
        Topic::Keyboard => &["keyboard"],
        Topic::Clock => &["timesource", "timezone"],
        Topic::Accounts => &["user", "group"],
        Topic::Services => &["services"],
        Topic::Firewall => &["firewall"],
        Topic::Network => &["network"],
        Topic::Authentication => &["authselect", "auth", "authconfig"],
        Topic::Desktop => &["xconfig", "skipx"],
        Topic::FirstBoot => &["firstboot"],
        Topic::Subscription => &["rhsm"],
        Topic::Domain => &["realm"],
    }
}

fn mounted_at(point: &str, kickstart: &Kickstart) -> Option<Span> {
    let partitions = kickstart.partitions.iter().map(|partition| (&partition.mount, partition.span));
    let volumes = kickstart.logical_volumes.iter().map(|volume| (&volume.mount, volume.span));
    let found = partitions.chain(volumes).find(|(mount, _)| *mount == point);
    found.map(|(_, span)| span).or_else(|| place(Subject::Layout, kickstart))
}

fn end(sources: &Sources) -> Span {
    let end = sources.get(SourceId::ROOT).map_or(0, |source| source.text().trim_end().len());
    let end = u32::try_from(end).unwrap_or(u32::MAX);
    Span { source: SourceId::ROOT, start: end, end }
}
