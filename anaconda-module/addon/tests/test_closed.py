"""Where something is missing or was lost, an image that has to be checked is not let through."""

import functools
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest
from org_bootc_ks import memory, reading, state
from org_bootc_ks.checks import Credentials, Facts
from org_bootc_ks.settings import Settings
from org_bootc_ks.source import Source

WHY = "The module cannot be loaded."
DIGEST = "sha256:" + "0" * 64


def errors(text):
    return [(message.line, message.text) for message in reading.unread(text, WHY).messages if message.error]


@pytest.mark.parametrize(
    "section, stops",
    [
        (None, True),
        ("check = require", True),
        ("check = warn", False),
        ("check = off", False),
        (f"check = warn\ndigest = {DIGEST}", True),
        (f"check = off\ndigest = {DIGEST}", True),
        ("check = warn\npin = yes", True),
        ("bogus", True),
    ],
)
@pytest.mark.parametrize("command", ["ostreecontainer --url=q.io/a/b:1", "bootc --source-imgref=registry:q.io/a/b:1"])
def test_without_the_parser_what_has_to_be_checked_is_an_error(command, section, stops):
    text = f"lang en_US.UTF-8\n{command}\n"
    if section is not None:
        text += f"%addon org_bootc_ks\n{section}\n%end\n"
    assert errors(text) == ([(2, WHY)] if stops else [])


def test_other_installations_are_none_of_our_business():
    assert not reading.unread("lang en_US.UTF-8\n%packages\n@core\n%end\n", WHY).messages
    assert not errors("%addon org_bootc_ks\ncheck = require\n%end\n")


ASKED = (
    Source("bootc", "q.io/a/b:1", "q.io/a/b:stable", "default"),
    Settings(digest=DIGEST, pin=True, insecure_registries=["q.io"]),
    Credentials("robot", "hush", ""),
    Facts(digest=DIGEST, layers=[[DIGEST, 7]]),
)


def test_who_is_started_again_knows_what_was_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("DBUS_ANACONDA_SESSION_BUS_ADDRESS", "unix:path=/one")
    path = str(tmp_path / "run/addon.json")
    assert memory.recall(path) is None
    data = state.State(keep=functools.partial(memory.keep, path=path))
    data.start_over(ASKED[0], ASKED[1])
    data.set_credentials("robot", "hush")
    data.set_check(data.key(), state=state.PASSED, facts=ASKED[3])
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    again = state.State()
    again.take_up(*memory.recall(path))
    assert (again.source, again.settings.digest, again.settings.pin) == (ASKED[0], DIGEST, True)
    assert again.credentials.password == "hush"
    # What was found counts for just this image and this login.
    assert again.facts_for(again.key()).digest == DIGEST
    assert again.check.state == state.IDLE
    monkeypatch.setenv("DBUS_ANACONDA_SESSION_BUS_ADDRESS", "unix:path=/two")
    assert memory.recall(path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"session": "", "source": {"bogus": 1}}'])
def test_what_cannot_be_read_is_lost_and_not_forgotten(tmp_path, monkeypatch, text):
    monkeypatch.delenv("DBUS_ANACONDA_SESSION_BUS_ADDRESS", raising=False)
    path = tmp_path / "addon.json"
    path.write_text(text)
    with pytest.raises(memory.Lost):
        memory.recall(str(path))


def test_nothing_is_written_where_nothing_changed():
    written = []
    data = state.State(keep=lambda *kept: written.append(kept))
    data.set_source(ASKED[0])
    data.set_check(data.key(), progress="one")
    data.set_check(data.key(), progress="two")
    assert len(written) == 1


def test_the_guard_of_the_documentation_stops_an_installer_without_the_add_on(tmp_path):
    page = (Path(__file__).parents[3] / "docs/anaconda.md").read_text()
    guard = re.search(r"%pre --erroronfail\n(.*?)%end", page, re.DOTALL)
    assert guard is not None, "the page shows no guard"
    script = guard.group(1).replace("/usr/", f"{tmp_path}/usr/")

    def passes():
        return subprocess.run(["sh", "-c", script], check=False, capture_output=True).returncode == 0

    # bootc-ks itself installs: no Anaconda.
    assert passes()
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/anaconda").touch()
    assert not passes()
    (tmp_path / "usr/share/anaconda/addons/org_bootc_ks").mkdir(parents=True)
    assert passes()
