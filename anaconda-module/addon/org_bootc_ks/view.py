"""What the service tells the user interfaces: a structure on the bus, and its reading.

Both ends may be of different versions (an update image replaces one of them), so a key that
is missing has a default and one that is new is left alone.
"""

from dataclasses import dataclass, field

from dasbus.typing import Bool, Dict, List, Str, Tuple, UInt64, get_native, get_variant

from org_bootc_ks import state as states

Problems = List[Tuple[Bool, Str, Str, Str]]
Layers = List[Tuple[Str, UInt64]]


@dataclass
class View:
    """All that a spoke shows."""

    kind: str = ""
    image: str = ""
    target: str = ""
    username: str = ""
    password_set: bool = False
    pin: bool = False
    required: bool = True
    """Whether a failed check stops the installation."""
    state: str = states.NONE
    progress: str = ""
    problems: list = field(default_factory=list)
    """Tuples: whether it is an error, text, hint, few words."""
    digest: str = ""
    architecture: str = ""
    kernel: str = ""
    bootloader: str = ""
    size: int = 0
    unpacked_size: int = 0
    labels: dict = field(default_factory=dict)
    layers: list = field(default_factory=list)

    @property
    def busy(self):
        """Whether a check is under way."""
        return self.state == states.RUNNING

    @property
    def acceptable(self):
        """Whether nothing that was found stands against an installation."""
        return self.state != states.FAILED or not self.required


TYPES = {
    "kind": Str, "image": Str, "target": Str, "username": Str, "password_set": Bool, "pin": Bool,
    "required": Bool, "state": Str, "progress": Str, "problems": Problems, "digest": Str,
    "architecture": Str, "kernel": Str, "bootloader": Str, "size": UInt64, "unpacked_size": UInt64,
    "labels": Dict[Str, Str], "layers": Layers,
}  # fmt: skip


def of(state):
    """The view of the add-on's state."""
    source, credentials, settings, _key = state.asked()
    check = state.check
    facts = check.facts or states.Facts()
    return View(
        kind=source.kind,
        image=source.image,
        target=source.target,
        username=credentials.username,
        password_set=bool(credentials.password),
        pin=settings.pin,
        required=settings.check == "require",
        state=check.state,
        progress=check.progress,
        problems=[(each.error, each.text, each.hint, each.short) for each in check.problems],
        digest=facts.digest,
        architecture=facts.architecture,
        kernel=facts.kernel,
        bootloader=facts.bootloader,
        size=facts.size,
        unpacked_size=facts.unpacked_size,
        labels=facts.labels,
        layers=facts.layers,
    )


def to_structure(view):
    """The view as it goes over the bus."""
    return {name.replace("_", "-"): get_variant(kind, getattr(view, name)) for name, kind in TYPES.items()}


def from_structure(structure):
    """The view that came over the bus."""
    view = View()
    for key, value in get_native(structure).items():
        name = key.replace("-", "_")
        if name in TYPES:
            setattr(view, name, value)
    return view
