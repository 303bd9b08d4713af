"""Files in a target that means no good."""

import json
import os
import stat

import pytest
from org_bootc_ks import credentials, record, settings
from org_bootc_ks.checks import Credentials, Facts, Problem
from org_bootc_ks.source import Source


def test_it_is_written_for_root_alone(tmp_path):
    record.write(tmp_path, record.RECORD, "text")
    path = tmp_path / record.RECORD
    assert path.read_text() == "text"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["anaconda.json"]


def test_it_replaces_the_one_before(tmp_path):
    for text in ("first, and longer", "second"):
        record.write(tmp_path, record.RECORD, text)
    assert (tmp_path / record.RECORD).read_text() == "second"


@pytest.mark.parametrize("link", ["var", "var/log", "var/log/bootc-ks"])
def test_no_directory_link_is_followed(tmp_path, link):
    target, outside = tmp_path / "target", tmp_path / "outside"
    outside.mkdir()
    (target / link).parent.mkdir(parents=True)
    (target / link).symlink_to(outside)
    with pytest.raises(record.TargetError) as caught:
        record.write(target, record.RECORD, "text")
    assert caught.value.filename == link
    assert not list(outside.rglob("*"))


@pytest.mark.parametrize("name", ["anaconda.json", ".anaconda.json.new"])
def test_no_file_link_is_followed(tmp_path, name):
    outside = tmp_path / "outside"
    outside.write_text("theirs")
    directory = tmp_path / "target/var/log/bootc-ks"
    directory.mkdir(parents=True)
    (directory / name).symlink_to(outside)
    record.write(tmp_path / "target", record.RECORD, "text")
    assert outside.read_text() == "theirs"
    assert (directory / "anaconda.json").read_text() == "text"


def test_the_record_has_no_secret():
    asked = settings.parse("username = robot\npassword = hush")
    facts = Facts(reference="r", digest="sha256:1", layers=[("sha256:2", 3)])
    text = record.document("1", Source("bootc", "quay.io/org/os"), facts, [Problem(False, "w", "h")], asked)
    assert "hush" not in text
    read = json.loads(text)
    assert read["updates_from"] == "quay.io/org/os"
    assert read["facts"]["digest"] == "sha256:1"
    assert read["problems"] == [{"error": False, "text": "w", "hint": "h"}]


def test_credentials_are_in_run_only_while_they_are_ours(tmp_path):
    text = credentials.text_for("quay.io/org/os", Credentials("robot", "hush"))
    assert json.loads(text)["auths"]["quay.io"]["auth"] == "cm9ib3Q6aHVzaA=="
    runtime = credentials.Runtime(tmp_path)
    assert runtime.put(text)
    path = tmp_path / credentials.RUNTIME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    runtime.remove()
    assert not path.exists()


def test_credentials_of_somebody_else_are_left_alone(tmp_path):
    path = tmp_path / credentials.RUNTIME
    path.parent.mkdir(parents=True)
    path.write_text("theirs")
    runtime = credentials.Runtime(tmp_path)
    assert not runtime.put("ours")
    runtime.remove()
    assert path.read_text() == "theirs"


def test_no_credentials_are_needed_for_a_directory():
    assert credentials.text_for("oci:/a", Credentials("robot", "hush")) == ""
    assert credentials.text_for("quay.io/a", Credentials()) == ""


def test_what_the_check_may_do_the_installer_may(tmp_path):
    credentials.allow_insecure([], tmp_path)
    assert not list(tmp_path.iterdir())
    credentials.allow_insecure(["one:5000", 'a"b'], tmp_path)
    text = (tmp_path / credentials.REGISTRIES).read_text()
    assert 'location = "one:5000"\ninsecure = true' in text and r"a\"b" in text
