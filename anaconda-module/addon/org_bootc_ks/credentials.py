"""Credentials for those who fetch the image after us.

Anaconda's own programs (`bootc`, `ostree`) take credentials from files alone. /run is memory, so
what is put there is on no disk, and it is taken away again when the payload is installed.
"""

import base64
import contextlib
import json
import os
import stat

from org_bootc_ks import record, source

# ostree-ext looks here first.
RUNTIME = "run/ostree/auth.json"
# Where they read which registries need no verified TLS.
REGISTRIES = "etc/containers/registries.conf.d/60-bootc-ks.conf"
# Where an installed system keeps what it updates itself with.
INSTALLED = "etc/ostree/auth.json"


def document(reference, username, password):
    """An auth.json with one entry, for the registry of `reference`."""
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    return json.dumps({"auths": {source.registry_of(reference): {"auth": auth}}}) + "\n"


def text_for(reference, credentials):
    """The auth.json for `reference`, or nothing where none is needed."""
    if not source.is_registry(reference):
        return ""
    if credentials.username:
        return document(reference, credentials.username, credentials.password)
    if credentials.authfile:
        with open(credentials.authfile, encoding="utf-8") as file:
            return file.read()
    return ""


def allow_insecure(registries, root="/"):
    """Lets the installer's own programs speak to these registries as the check did."""
    if registries:
        entries = [f"[[registry]]\nlocation = {json.dumps(each)}\ninsecure = true\n" for each in registries]
        record.write(root, REGISTRIES, "\n".join(entries), 0o644)


class Runtime:
    """The file in /run, while it is ours."""

    def __init__(self, root="/"):
        self._root = root
        self._ours = None

    def put(self, text):
        """Writes it, unless another one is there already: that is left alone. Says whether
        it was written."""
        if self._identity() is not None and self._identity() != self._ours:
            return False
        record.write(self._root, RUNTIME, text, 0o600)
        self._ours = self._identity()
        return True

    def remove(self):
        """Takes it away, if it is still the one that we wrote."""
        if self._ours is not None and self._identity() == self._ours:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._root, RUNTIME))
        self._ours = None

    def _identity(self):
        try:
            status = os.lstat(os.path.join(self._root, RUNTIME))
        except OSError:
            return None
        return (status.st_dev, status.st_ino, stat.S_IFMT(status.st_mode))
