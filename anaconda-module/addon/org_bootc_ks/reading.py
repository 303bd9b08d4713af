"""A kickstart (or what Anaconda hands over of one) → settings, source, and what is to be said.

Anaconda's own modules judge their commands themselves. What we see of those is therefore only
a warning; what concerns the image or our section is an error where it is one.
"""

from dataclasses import dataclass, field

from org_bootc_ks import settings as section
from org_bootc_ks import source as sources
from org_bootc_ks.i18n import _

IMAGE_COMMANDS = ("ostreecontainer", "bootc")
# Findings about bootc-ks's own way of installing; here Anaconda does the work.
OTHER_INSTALLER = "R"
# Findings about several lines, or about one that is missing. With a screen to complete it, half a
# kickstart is a good one, and `inst.ksstrict` makes errors of warnings.
LINT = "L"


@dataclass
class Message:
    """Something to be said. `line` counts from 1 in the text that was read; 0 is nowhere."""

    error: bool
    line: int
    text: str


@dataclass
class Reading:
    """What a kickstart says to this add-on."""

    source: sources.Source = sources.Source()
    settings: section.Settings = field(default_factory=section.Settings)
    messages: list = field(default_factory=list)
    end: int = 0
    """The last line that a message may point at."""
    line: int = 0
    """Where the image is asked for."""

    def say(self, error, line, text):
        """Adds a message."""
        self.messages.append(Message(error, line if line <= self.end else 0, text))


def read(text, parse):
    """Reads `text`; `parse` is bootc_ks.parse, or something that takes a text like it."""
    kickstart = parse(text)
    reading = Reading(end=_end(text))
    ours = [addon for addon in kickstart.addons if addon.name == section.ADDON]
    commands = [command for command in kickstart.commands if command.name in IMAGE_COMMANDS]
    if not ours and not commands:
        # Another kind of installation: none of our business.
        return reading
    _read_sections(reading, ours)
    if commands:
        reading.source = _source(kickstart, commands[-1].name, reading.settings)
        reading.line = commands[-1].line
    else:
        line = ours[0].line
        reading.say(False, line, _("%addon org_bootc_ks: the kickstart installs no container image"))
    _pass_on(reading, kickstart.diagnostics, _lines_of(commands))
    return reading


def unread(text, why):
    """What can be said of `text` where no parser is there: `why`. That is an error if an image is asked for, and
    has to be checked."""
    reading = Reading(end=_end(text))
    body, section_is_open, lines = [], False, []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if section_is_open:
            section_is_open = words[:1] != ["%end"]
            if section_is_open:
                body.append(line)
        elif words[:2] == ["%addon", section.ADDON]:
            section_is_open = True
        elif words and words[0] in IMAGE_COMMANDS:
            lines.append(number)
    if not lines and not body:
        return reading
    try:
        reading.settings = section.parse("\n".join(body))
    except section.SettingsError as error:
        # Its defaults are demanding.
        reading.say(False, 0, f"%addon {section.ADDON}: {error}")
    reading.line = lines[-1] if lines else 0
    reading.say(bool(lines) and reading.settings.demanding, reading.line, why)
    return reading


def _read_sections(reading, ours):
    for addon in ours[1:]:
        reading.say(True, addon.line, _("%addon org_bootc_ks is given twice; put both into one section"))
    if not ours:
        return
    if ours[0].arguments:
        reading.say(True, ours[0].line, _("%addon org_bootc_ks takes no options; write `key = value` lines into it"))
    try:
        reading.settings = section.parse(ours[0].body)
    except section.SettingsError as error:
        # Anaconda points at the section, so the line inside is said in words.
        where = _("line {line} of %addon org_bootc_ks").format(line=error.line) if error.line else "%addon org_bootc_ks"
        reading.say(True, ours[0].line, f"{where}: {error}")


def _source(kickstart, kind, settings):
    image = sources.normal(kickstart.image or "")
    target = sources.normal(settings.target or kickstart.target_image or "")
    if not image:
        return sources.Source()
    return sources.Source(kind, image, "" if target == image else target, kickstart.stateroot or "")


def _lines_of(commands):
    return {command.line for command in commands}


def _end(text):
    # Boss looks a line up in a list of those that end, without asking whether it is there.
    return text.count("\n")


def _pass_on(reading, diagnostics, our_lines):
    for each in diagnostics:
        if each.code.startswith(OTHER_INSTALLER) or each.severity == "info":
            continue
        ours = each.line in our_lines
        if each.code.startswith(LINT) and not reading.settings.lint and not (ours and each.severity == "error"):
            continue
        text = f"{each.message} [{each.code}]"
        if each.help:
            text = f"{text}; {each.help}"
        reading.say(each.severity == "error" and ours, each.line, text)
