"""Threads that need a library for the first time, at the same time."""

from __future__ import annotations

import subprocess
import sys

#: The first thread has begun to import msgspec. Before it goes on, the second one begins, too, and
#: has a moment to come to a lock that the first one will need.
SCRIPT = """
import builtins, importlib.machinery, threading
from registry_core._base import decoding, encoding

begun, done = threading.Event(), []
second = threading.Thread(target=lambda: done.append(encoding.dumps({"id": "m"})))

def noted(imports):
    def imported(name, *rest):
        if threading.current_thread() is second and name.startswith("msgspec"):
            begun.set()
        return imports(name, *rest)
    return imported

def made(loader, spec):
    if spec.name == "msgspec" and not begun.is_set():
        second.start()
        assert begun.wait(60)
        threading.Event().wait(0.1)  # shorter, the fault shows less often; longer, it costs more

builtins.__import__ = noted(builtins.__import__)
decoding.import_module = noted(decoding.import_module)
importlib.machinery.SourceFileLoader.create_module = made
done.append(decoding.loads(b"{}"))
second.join()
assert {} in done and b'{"id":"m"}' in done, done
"""


def test_no_thread_is_refused_a_library_that_another_one_is_importing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
