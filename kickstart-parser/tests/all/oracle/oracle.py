"""Answers questions about kickstarts with pykickstart: one JSON object a line, in and out.

Asked:    {"version": "F46", "mode": "whole" | "single", "text": "...",
           "includes": {"name": "text"} or null to leave %include out,
           "unknown_section_is_error": true}
Answered: {"ok": true, "canonical": "...", "warnings": [{"class": "...", "message": "..."}]}
      or  {"ok": false, "error": {"class": "...", "message": "...", "line": 7}, "warnings": [...]}

A whole text is read by a parser that has the commands that the text could name, which
comes to the same as one that has all of them and is made in a fraction of the time.
A single command is read by a parser that has only that one.
"""

import json
import os
import sys
import tempfile
import warnings

from pykickstart.handlers import control
from pykickstart.parser import KickstartParser
from pykickstart.version import returnClassForVersion, stringToVersion, versionToString

# Made once for each version: asking for a class makes Python's search path longer each time.
CLASSES: dict = {}

# Printed whether or not the text has them, `logging` as an empty line.
ALWAYS_WRITTEN = {"bootloader", "logging"}


def handler_class(version):
    if version not in CLASSES:
        # By the name of the release that DEVEL is: there is no class of that name.
        CLASSES[version] = returnClassForVersion(versionToString(version, skipDevel=True))
    return CLASSES[version]


def first_words(text):
    """What may be a command: more words than there are commands do no harm."""
    found = set()
    for line in text.splitlines():
        for word in line.replace("#", " ").split(None, 1)[:1]:
            found.add(word)
            found.add("".join(c for c in word if c not in "'\"\\"))
            # A quoted word may hold blanks, or be made of several parts.
            if word[0] in "'\"":
                return None
    return found


def make_handler(question, everything=False):
    version = stringToVersion(question["version"])
    cls = handler_class(version)
    commands, data = control.commandMap[version], control.dataMap[version]
    texts = [question["text"], *(question["includes"] or {}).values()]
    words = [first_words(text) for text in texts]
    if everything or None in words:
        return cls()
    wanted = set().union(*words)
    if question["mode"] == "whole":
        wanted |= ALWAYS_WRITTEN
        # A command and its other name stand for each other: `part` and `partition`.
        classes = {commands[name] for name in wanted if name in commands}
        wanted |= {name for name in commands if commands[name] in classes}
    return cls(mapping={name: commands[name] for name in commands if name in wanted}, dataMapping=data)


def read(question, handler):
    includes = question["includes"]
    parser = KickstartParser(
        handler,
        followIncludes=includes is not None,
        unknownSectionIsFatal=question["unknown_section_is_error"],
    )
    parser.readKickstartFromString(question["text"])
    lines = str(handler).split("\n")
    return "\n".join(line for line in lines if not line.startswith(("# Generated", "#version=")))


def attempt(question, everything):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer = {"ok": True, "canonical": read(question, make_handler(question, everything))}
        # Whatever it is: that it is raised is the answer.
        except (Exception, SystemExit) as error:
            if isinstance(error, (AttributeError, KeyError)) and not everything:
                # A command looked at another one that this parser was made without.
                return attempt(question, everything=True)
            told: dict = {"class": type(error).__name__, "message": str(getattr(error, "message", error))}
            told["line"] = getattr(error, "lineno", None)
            answer = {"ok": False, "error": told}
    answer["warnings"] = [
        {"class": w.category.__name__, "message": str(w.message)}
        for w in caught
        if w.category.__module__.startswith("pykickstart")
    ]
    return answer


def main():
    # Nothing but answers may go where answers are expected.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        for line in sys.stdin.buffer:
            question = json.loads(line)
            for name in os.listdir(place):
                os.remove(name)
            for name, text in (question["includes"] or {}).items():
                with open(name, "w", encoding="utf-8", newline="") as file:
                    file.write(text)
            answers.write(json.dumps(attempt(question, everything=False)) + "\n")
            answers.flush()
        os.chdir("/")


main()
