"""Checks kickstart files: ``python -m bootc_ks.validate`` takes what ksvalidator takes.

Only the language is judged, as ksvalidator does; ``bootc-ks check`` also says what the installer
has to say. Exit codes: 0 all files are good, 1 some are not, 2 the options make no sense.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Optional, TextIO

from . import Diagnostic, Error, InputError, Kickstart, parse, parse_file, syntaxes

GOOD = 0
BAD = 1


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the program with ``arguments``, by default those of this process; its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.listversions:
        print("\n".join(sorted(syntaxes())))
        return GOOD
    if not options.files:
        parser.print_usage(sys.stderr)
        return BAD
    known = {name.upper() for name in syntaxes()}
    if options.version is not None and options.version.upper() not in known:
        print(f"there is no version {options.version}; --listversions lists them", file=sys.stderr)
        return BAD
    good = [_check(name, options) for name in options.files]
    return GOOD if all(good) else BAD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bootc_ks.validate",
        description="Checks kickstart files.",
        epilog="Exit codes: 0 all files are good; 1 some are not; 2 the options make no sense.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="a kickstart file; - is standard input")
    parser.add_argument("-e", "--firsterror", action="store_true", help="say only what comes first, in each file")
    parser.add_argument("-i", "--followincludes", action="store_true", help="check the files that are included too")
    parser.add_argument("-v", "--version", help="read the files as this version; theirs by default, else F44")
    parser.add_argument("-l", "--listversions", action="store_true", help="list the versions")
    return parser


def _check(name: str, options: argparse.Namespace) -> bool:
    """Says what is wrong with a file; whether it is good."""
    try:
        kickstart = _read(name, options)
        found = [finding for finding in kickstart.diagnostics if _of_the_language(finding)]
    except InputError as error:
        found = error.diagnostics
        if not found:
            print(f"{name}: {error}", file=sys.stderr)
            return False
    except Error as error:
        print(f"{name}: {error}", file=sys.stderr)
        return False
    color = _wants_color(sys.stdout)
    for finding in found[:1] if options.firsterror else found:
        print(finding.render(color=color))
    bad = any(finding.severity == "error" for finding in found)
    if not bad:
        print(f"{name}: good ({kickstart.syntax})")
    return not bad


def _read(name: str, options: argparse.Namespace) -> Kickstart:
    if name == "-":
        text = sys.stdin.buffer.read()
        return parse(text, "<stdin>", syntax=options.version, includes=options.followincludes)
    return parse_file(name, syntax=options.version, includes=options.followincludes)


def _of_the_language(finding: Diagnostic) -> bool:
    """Whether any reader of kickstarts would say so: E and W speak for the language, and L002 is
    about commands that exclude each other."""
    return finding.code.startswith(("E", "W")) or finding.code == "L002"


def _wants_color(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        # The reader has closed the pipe; nothing is left to be said at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BAD)
