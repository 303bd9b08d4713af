"""A kickstart as Boss hands it over, read by the real parser."""

import bootc_ks
from org_bootc_ks import reading
from org_bootc_ks.source import Source

SECTION = "%addon org_bootc_ks\n{}\n%end\n"


def read(text):
    return reading.read(text, lambda each: bootc_ks.parse(each, syntax="RHEL10", includes=False))


def errors(result):
    return [(message.line, message.text) for message in result.messages if message.error]


def test_the_image_is_seen_without_any_section():
    result = read("rootpw --lock\nostreecontainer --url=quay.io/org/os:1 --transport=registry\n")
    assert result.source == Source("ostreecontainer", "quay.io/org/os:1")
    assert not errors(result)


def test_bootc_is_seen_with_its_target():
    line = "bootc --source-imgref=registry:quay.io/org/os:1 --target-imgref=quay.io/org/os:stable\n"
    result = read(line)
    assert result.source == Source("bootc", "quay.io/org/os:1", "quay.io/org/os:stable", "default")
    assert not errors(result)


def test_the_section_is_read_with_it():
    result = read("ostreecontainer --url=quay.io/org/os:1\n" + SECTION.format("timeout = 9\ntarget = quay.io/org/os:2"))
    assert result.settings.timeout == 9
    assert result.source.target == "quay.io/org/os:2"


def test_an_error_in_the_section_is_at_its_line():
    result = read("ostreecontainer --url=quay.io/org/os:1\n" + SECTION.format("# first\nbogus = 1"))
    assert len(errors(result)) == 1
    line, text = errors(result)[0]
    assert line == 2 and text.startswith("line 2 of %addon org_bootc_ks: unknown key `bogus`")


def test_an_error_in_the_command_is_at_its_line():
    assert [line for line, _text in errors(read("\n\nostreecontainer --url=quay.io/org/os:1 --bogus\n"))] == [3]


def test_what_concerns_others_is_a_warning():
    result = read("part / --bogus\nostreecontainer --url=quay.io/org/os:1\n")
    assert not errors(result)
    assert any(message.line == 1 for message in result.messages)


def test_lints_are_for_those_who_ask():
    text = "lang en_US.UTF-8\nostreecontainer --url=quay.io/org/os:1\n"
    assert read(text).messages == []
    asked = read(text + SECTION.format("lint = yes"))
    assert any("no login is possible" in message.text for message in asked.messages)
    assert not errors(asked)


def test_two_images_are_an_error_all_the_same():
    text = "bootc --source-imgref=registry:quay.io/org/os:1\nostreecontainer --url=quay.io/org/os:1\n"
    assert [line for line, _text in errors(read(text))] == [2]


def test_another_kind_of_installation_is_none_of_our_business():
    assert read("url --url=http://example.com/\npart / --bogus\n%packages\n@core\n%end\n").messages == []


def test_a_second_section_and_options_are_refused():
    text = "ostreecontainer --url=quay.io/org/os:1\n" + 2 * SECTION.format("timeout = 9")
    assert [line for line, _text in errors(read(text))] == [5]
    text = "ostreecontainer --url=quay.io/org/os:1\n%addon org_bootc_ks --timeout=9\n%end\n"
    assert [line for line, _text in errors(read(text))] == [2]


def test_lines_never_lie_outside_the_text():
    # Boss looks them up without asking; a last line that does not end is not in its list.
    for text in (
        "ostreecontainer",
        "ostreecontainer --url=x --bogus",
        "ostreecontainer --url=x\n%post\n",
        "%addon org_bootc_ks\n",
        "bootc\n%end",
    ):
        for message in read(text).messages:
            assert 0 <= message.line <= text.count("\n")
