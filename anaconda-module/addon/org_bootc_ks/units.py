"""Sizes and times for people."""

from org_bootc_ks.i18n import _


def size(count):
    """A number of bytes in the unit that leaves one to four digits."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return _("{count} bytes").format(count=count)


def short_digest(digest):
    """A digest as far as people compare it."""
    kind, separator, rest = digest.partition(":")
    return f"{kind}:{rest[:12]}…" if separator and len(rest) > 12 else digest
