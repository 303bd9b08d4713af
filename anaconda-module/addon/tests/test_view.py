"""What goes over the bus, and what is said about it."""

from dasbus.typing import get_variant
from org_bootc_ks import checks, source, state, texts, view
from org_bootc_ks.checks import Facts, Problem

FACTS = Facts(
    reference="docker://quay.io/org/os:1", digest="sha256:" + "a" * 64, architecture="amd64", kernel="6.1",
    bootloader="bootupd", size=2**30, unpacked_size=3 * 2**30, layers=[("sha256:" + "b" * 64, 2**30)],
    labels={"z": "1", "org.opencontainers.image.version": "7"},
)  # fmt: skip


def known(**changes):
    data = state.State()
    data.set_source(source.Source("bootc", "quay.io/org/os:1"))
    data.set_check(data.key(), **changes)
    return data


def test_a_view_survives_the_bus():
    data = known(state=state.WARNED, facts=FACTS, problems=(Problem(False, "text", "hint", "short"),))
    data.set_credentials("robot", "hush")
    data.set_check(data.key(), state=state.WARNED, facts=FACTS, problems=(Problem(False, "text", "hint", "short"),))
    before = view.of(data)
    structure = view.to_structure(before)
    assert "hush" not in str(structure)
    after = view.from_structure(structure)
    assert after == before
    assert after.password_set and after.size == 2**30


def test_a_missing_and_a_new_key_are_no_failure():
    structure = view.to_structure(view.of(known(state=state.PASSED, facts=FACTS)))
    del structure["labels"], structure["state"]
    structure["something-new"] = get_variant("s", "x")
    after = view.from_structure(structure)
    assert (after.labels, after.state, after.digest) == ({}, state.NONE, FACTS.digest)
    assert texts.status(after)


def test_every_state_has_its_words():
    for name in texts.STATES:
        for problems in ([], [(True, "text", "hint", "few words")]):
            shown = view.View(kind="bootc", image="quay.io/org/os:1", state=name, problems=problems)
            assert 0 < len(texts.status(shown)) <= 60
            assert texts.state(shown)
    failed = view.View(state=state.FAILED, problems=[(True, "text", "hint", "few words")])
    assert texts.status(failed) == "few words"
    assert texts.problems(failed) == "text\nhint"


def test_the_telling_labels_come_first():
    assert [name for name, _value in texts.labels(view.of(known(facts=FACTS)))][0].endswith("version")
    assert ("Layers", "1 layers, 1.0 GiB to download, 3.0 GiB unpacked") in texts.facts(view.of(known(facts=FACTS)))


def test_a_result_about_another_image_is_dropped():
    data = state.State()
    data.set_source(source.Source("bootc", "quay.io/org/os:1"))
    old = data.key()
    data.set_source(source.Source("bootc", "quay.io/org/os:2"))
    assert not data.set_check(old, state=state.PASSED, facts=FACTS)
    assert data.check.state == state.IDLE
    data.set_check(data.key(), state=state.PASSED, facts=FACTS)
    data.set_credentials("robot", "hush")
    assert data.check.state == state.IDLE and data.facts_for(old) is None


def test_the_outcome_is_that_of_the_worst_problem():
    assert state.outcome([]) == state.PASSED
    assert state.outcome([Problem(False, "")]) == state.WARNED
    assert state.outcome([Problem(False, ""), Problem(True, "")]) == state.FAILED


def test_events_that_lack_something_are_told_as_far_as_they_go():
    assert checks.told({}) == ""
    assert checks.told({"event": "progress"}) == ""
    assert "50 %" in checks.told({"type": "progress", "done": 5, "total": 10})
    assert "trying again" in checks.told({"event": "retry"})
