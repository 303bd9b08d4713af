"""The section of the kickstart."""

import pytest
from org_bootc_ks import settings

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
lint = no
""".format(digest="0" * 64)


def test_all_keys_are_read():
    read = settings.parse(WHOLE)
    assert (read.check, read.timeout, read.digest) == ("warn", 30, "sha256:" + "0" * 64)
    assert (read.pin, read.keep_credentials, read.lint) == (True, True, False)
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


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("\nbogus = 1", 2, "unknown key `bogus`"),
        ("check = maybe", 1, "require, warn, off"),
        ("timeout = 4", 1, "between 5 and 3600"),
        ("timeout = ٣٠", 1, "number"),
        ("digest = sha256:0", 1, "64 hexadecimal"),
        ("pin = true", 1, "yes or no"),
        ("username =", 1, "no value"),
        ("password = x", 0, "no username"),
        ("keep-credentials = yes", 0, "no credentials"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(body, line, words):
    with pytest.raises(settings.SettingsError, match=".*") as caught:
        settings.parse(body)
    assert words in str(caught.value)
    assert caught.value.line == line


def test_a_line_that_is_not_understood_is_not_shown():
    with pytest.raises(settings.SettingsError) as caught:
        settings.parse("password hush")
    assert "hush" not in str(caught.value)


def test_a_password_does_not_show_itself():
    assert "hush" not in repr(settings.parse("username = a\npassword = hush"))
