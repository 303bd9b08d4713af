"""References, as Anaconda has them and as we have them."""

import pytest
from org_bootc_ks import source
from org_bootc_ks.source import Source

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("url", "transport", "image"),
    [
        ("quay.io/org/os:1", "", "quay.io/org/os:1"),
        ("quay.io/org/os:1", "registry", "quay.io/org/os:1"),
        ("ostree-unverified-registry:quay.io/org/os:1", "", "quay.io/org/os:1"),
        ("ostree-image-signed:docker://quay.io/org/os:1", "", "quay.io/org/os:1"),
        ("/run/install/repo/container", "oci", "oci:/run/install/repo/container"),
        ("localhost:5000/os", "", "localhost:5000/os"),
    ],
)
def test_ostreecontainer(url, transport, image):
    assert source.from_ostreecontainer(url, transport) == Source("ostreecontainer", image, "", "")


def test_bootc():
    read = source.from_bootc("registry:quay.io/org/os:1", "quay.io/org/os:1", "default")
    assert read == Source("bootc", "quay.io/org/os:1", "", "default")
    assert source.from_bootc("oci:/a:b", "quay.io/org/os").target == "quay.io/org/os"
    assert source.from_bootc("") == Source()


def test_what_bootc_is_given_has_a_transport():
    assert source.for_bootc("quay.io:443/org/os:1") == "registry:quay.io:443/org/os:1"
    assert source.for_bootc("oci:/a:b") == "oci:/a:b"


@pytest.mark.parametrize(
    ("reference", "pinned"),
    [
        ("quay.io/org/os:1", f"quay.io/org/os@{DIGEST}"),
        ("localhost:5000/os", f"localhost:5000/os@{DIGEST}"),
        (f"quay.io/org/os:1@sha256:{'b' * 64}", f"quay.io/org/os@{DIGEST}"),
        ("oci:/a:b", "oci:/a:b"),
    ],
)
def test_pinning_leaves_the_update_reference(reference, pinned):
    result = Source("bootc", reference).pinned(DIGEST)
    assert (result.image, result.update_reference) == (pinned, reference)


def test_the_registry_of_a_reference():
    assert source.registry_of("quay.io:8443/org/os") == "quay.io:8443"
    assert source.registry_of("org/os") == "docker.io"
    assert source.registry_of("oci:/a") == ""
