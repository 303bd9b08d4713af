"""The image as Anaconda names it, and as the checks name it.

Anaconda knows two kinds of source: `ostreecontainer` has the transport apart from the image,
`bootc` before it (`registry:quay.io/org/os`). Ours is one word: `quay.io/org/os:latest` for a
registry, else `oci:/path:tag` and the like.
"""

from dataclasses import dataclass, replace

REGISTRY_TRANSPORTS = ("registry", "docker")
OTHER_TRANSPORTS = ("oci", "oci-archive", "containers-storage", "dir", "docker-archive", "docker-daemon")
# What ostree puts before a reference to say how it is verified.
SIGNATURE_PREFIXES = ("ostree-unverified-image", "ostree-unverified-registry", "ostree-image-signed")


@dataclass(frozen=True)
class Source:
    """Where the image comes from, and where updates will."""

    kind: str = ""
    """`ostreecontainer` or `bootc`; empty where no container image is installed."""
    image: str = ""
    """The reference in our form."""
    target: str = ""
    """Where updates come from, if somewhere else."""
    stateroot: str = ""

    @property
    def update_reference(self):
        """Where the installed system will look for updates."""
        return self.target or self.image

    def pinned(self, digest):
        """The same, by digest; updates still come from where they would have."""
        return replace(self, image=by_digest(self.image, digest), target=self.update_reference)


def from_ostreecontainer(url, transport="", stateroot=""):
    """The source of an `ostreecontainer` command."""
    return Source("ostreecontainer", joined(transport, url), "", stateroot) if url else Source()


def from_bootc(source_imgref, target_imgref="", stateroot=""):
    """The source of a `bootc` command."""
    if not source_imgref:
        return Source()
    image = normal(source_imgref)
    target = normal(target_imgref) if target_imgref else ""
    return Source("bootc", image, "" if target == image else target, stateroot)


def joined(transport, image):
    """The reference in our form for a transport and an image."""
    if transport and transport not in REGISTRY_TRANSPORTS:
        return f"{transport}:{image}"
    return normal(image)


def normal(reference):
    """The reference in our form, without what ostree or bootc may put before it."""
    for prefix in SIGNATURE_PREFIXES:
        if reference.startswith(prefix + ":"):
            reference = reference[len(prefix) + 1 :]
            break
    transport, rest = split_transport(reference)
    if transport in REGISTRY_TRANSPORTS:
        return rest[2:] if rest.startswith("//") else rest
    return reference


def split_transport(reference):
    """The transport in front (empty if there is none), and the rest."""
    transport, separator, rest = reference.partition(":")
    if separator and transport in REGISTRY_TRANSPORTS + OTHER_TRANSPORTS:
        return transport, rest
    return "", reference


def for_bootc(reference):
    """The reference as `bootc --source-imgref` has it: always with a transport."""
    transport, rest = split_transport(reference)
    return f"{transport}:{rest}" if transport else f"registry:{reference}"


def is_registry(reference):
    """Whether a registry has to be asked."""
    return bool(reference) and not split_transport(reference)[0]


def registry_of(reference):
    """The host (and port) of a registry's image; empty for anything else."""
    if not is_registry(reference):
        return ""
    first, separator, _rest = reference.partition("/")
    if separator and ("." in first or ":" in first or first == "localhost"):
        return first
    return "docker.io"


def by_digest(reference, digest):
    """The reference with `digest` in place of its tag. What is not in a registry has no such form."""
    if not is_registry(reference):
        return reference
    name, _at, _digest = reference.partition("@")
    path, slash, last = name.rpartition("/")
    return f"{path}{slash}{last.partition(':')[0]}@{digest}"
