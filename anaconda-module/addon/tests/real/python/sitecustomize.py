"""Lets Anaconda run where it is not at home: on a kernel that has no modules, for blivet reads
/proc/modules regardless, and on a Python without crypt (from 3.13 on), which RHEL 10's imports.
"""

import builtins
import contextlib
import importlib.util
import io
import os
import sys

if importlib.util.find_spec("crypt") is None:
    with contextlib.suppress(ImportError):
        import crypt_r

        sys.modules["crypt"] = crypt_r

if not os.path.exists("/proc/modules"):
    _open = builtins.open

    def _open_or_empty(file, *args, **kwargs):
        return io.StringIO("") if file == "/proc/modules" else _open(file, *args, **kwargs)

    builtins.open = _open_or_empty
