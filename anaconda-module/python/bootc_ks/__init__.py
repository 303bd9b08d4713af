"""Read kickstarts, and install bootable container images from them.

    import bootc_ks

    kickstart = bootc_ks.parse_file("site.ks")
    print(kickstart.render())
    bootc_ks.install(kickstart, disk_image="disk.img", size=10 * 2**30, on_event=print)

The stubs beside this file say what each class and function offers. Sizes are in bytes and
times in seconds.
"""

from ._native import (
    Access,
    Addon,
    Cancel,
    Cancelled,
    Command,
    Diagnostic,
    Disk,
    Error,
    FailedError,
    ImageFacts,
    InputError,
    Kickstart,
    Layer,
    Machine,
    Plan,
    RefusedError,
    Report,
    User,
    WorldError,
    __version__,
    _set_libexec,
    format,
    inspect,
    install,
    install_to_filesystem,
    parse,
    parse_file,
    plan,
    probe,
    syntaxes,
)

__all__ = [
    "Access",
    "Addon",
    "Cancel",
    "Cancelled",
    "Command",
    "Diagnostic",
    "Disk",
    "Error",
    "FailedError",
    "ImageFacts",
    "InputError",
    "Kickstart",
    "Layer",
    "Machine",
    "Plan",
    "RefusedError",
    "Report",
    "User",
    "WorldError",
    "__version__",
    "format",
    "inspect",
    "install",
    "install_to_filesystem",
    "parse",
    "parse_file",
    "plan",
    "probe",
    "syntaxes",
]

# The program that makes deployments, the one part that needs libostree, lies in the package.
_set_libexec(__path__[0] + "/libexec")
