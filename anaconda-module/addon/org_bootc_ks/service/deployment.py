"""What was deployed: the manifest's digest, as the importer noted it in the commit."""

import glob
import logging
import os
import re
import subprocess

log = logging.getLogger(__name__)

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# It reads one small object.
PATIENCE = 60


def newest(physroot):
    """The digest of the newest deployment; empty where it cannot be told."""
    commit = _commit(physroot)
    if not commit:
        return ""
    command = [
        "ostree",
        f"--repo={physroot}/ostree/repo",
        "show",
        "--print-metadata-key=ostree.manifest-digest",
        commit,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        log.info("The deployed digest cannot be told: %s", error)
        return ""
    found = DIGEST.search(done.stdout)
    return found.group() if found else ""


def _commit(physroot):
    origins = glob.glob(f"{glob.escape(physroot)}/ostree/deploy/*/deploy/*.origin")
    if not origins:
        return ""
    return os.path.basename(max(origins, key=lambda path: os.lstat(path).st_mtime)).partition(".")[0]
