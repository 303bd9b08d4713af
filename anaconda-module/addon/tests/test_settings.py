"""The section of the kickstart."""

import json
from pathlib import Path

import pytest
from org_bootc_ks import settings

# The same for the installer's own reader (installer-core, request/from_kickstart/addon.rs).
CASES = json.loads((Path(__file__).parents[3] / "tests/addon-section.json").read_text(encoding="utf-8"))

WHOLE = """
# a comment
check = warn
timeout = 30
digest = sha256:{digest}
pin = yes
target = quay.io/org/os:stable
username = robot
password = "a = b # c"
insecure-registry = one:5000
insecure-registry = two
keep-credentials = yes
lint = yes
""".format(digest="0" * 64)


def test_all_keys_are_read():
    read = settings.parse(WHOLE)
    assert (read.check, read.timeout, read.digest) == ("warn", 30, "sha256:" + "0" * 64)
    assert (read.pin, read.keep_credentials, read.lint) == (True, True, True)
    assert (read.username, read.password, read.target) == ("robot", "a = b # c", "quay.io/org/os:stable")
    assert read.insecure_registries == ["one:5000", "two"]


def test_what_is_written_reads_the_same_but_for_the_password():
    read = settings.parse(WHOLE)
    text = read.render()
    assert text.startswith("%addon org_bootc_ks\n") and text.endswith("%end\n")
    assert "a = b" not in text and "password" not in text
    again = settings.parse(text.partition("\n")[2].rpartition("%end")[0])
    read.password = ""
    assert again == read


def test_nothing_is_written_where_nothing_was_asked_for():
    assert settings.parse("").render() == ""
    assert settings.parse("check = require\ntimeout=60").render() == ""


def case_settings(read):
    """What is said in it, by the names of the section."""
    told = {
        "username": read.username,
        "password": read.password,
        "authfile": read.authfile,
        "keep-credentials": read.keep_credentials,
        "insecure-registry": read.insecure_registries,
        "timeout": "" if read.timeout == settings.Settings().timeout else read.timeout,
        "script-timeout": read.script_timeout,
        "target": read.target,
        "digest": read.digest,
    }
    return {key: value for key, value in told.items() if value}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["body"])
def test_it_is_read_as_the_installer_reads_it(case):
    if "settings" in case:
        assert case_settings(settings.parse(case["body"])) == case["settings"]
        return
    with pytest.raises(settings.SettingsError) as caught:
        settings.parse(case["body"])
    assert case["error"] in str(caught.value)
    assert caught.value.line == case["line"]


def test_a_line_that_is_not_understood_is_not_shown():
    with pytest.raises(settings.SettingsError) as caught:
        settings.parse("password hush")
    assert "hush" not in str(caught.value)


def test_a_password_does_not_show_itself():
    assert "hush" not in repr(settings.parse("username = a\npassword = hush"))
