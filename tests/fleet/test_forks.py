"""Servers that load an application first and fork their workers then (gunicorn, Celery)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from registry_core._shared import apart
from registry_core._shared.engine import Fault, GoneError, LostError
from tests.fleet.conftest import Hosts
from tests.fleet.test_faults import ROOT
from tests.fleet.test_sharing import HOUR, pointer

#: An alarm, not a timeout, ends a child that waits for threads that are not there.
SCRIPT = """
import json, os, signal, sys
from tests.fleet.worker import main

about = json.loads(sys.argv[1])
main(**about)
sys.stdout.flush()
for hour in (1, 2):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        main(**{**about, "now": about["now"] + hour * 3600.0})
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


#: The application itself uses obstore before it forks; nothing here has used a fleet by then.
USED_BY_THE_APPLICATION = """
import os, signal, sys
import obstore
from registry_core import ModelRegistry

child = os.fork()
if child == 0:
    signal.alarm(60)
    from registry_core._shared.apart import engine_at
    print(type(engine_at(sys.argv[1], 5)).__name__, flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_so_does_one_whose_parent_used_the_package_for_itself() -> None:
    code, url = USED_BY_THE_APPLICATION, "s3://bucket/prefix"
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "Apart\n"), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_worker_that_was_forked_shares_as_its_parent_did(on_moto: Hosts) -> None:
    about = {
        "folder": str(on_moto.folder / "forking"),
        "upstream": on_moto.server.url("/main.json"),
        "now": 1_800_000_000.0,
        "settings": {"shared": on_moto.url},
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(about)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert list(map(json.loads, done.stdout.splitlines())) == [{"ok": True, "problems": []}] * 3
    assert (on_moto.fetches, pointer(on_moto).serial) == (3, 1_800_000_000 + 2 * HOUR)
    other = on_moto.host("other")
    other.let_pass(2 * HOUR)
    assert other.sync().problems == ()
    assert on_moto.fetches == 0


def test_the_other_process_knows_the_path_of_this_one_and_what_it_prints_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"1" + apart._MARK + b"2"
    (tmp_path / "pointer").write_bytes(data)
    engine = apart.Apart(tmp_path.as_uri(), 10.0)
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path])  # which Python itself ignores
    for flush in (True, False):
        (site / "sitecustomize.py").write_text(f"print('hello', flush={flush})\n")
        found = engine.get("pointer", most=99)
        assert found is not None
        assert found.data == data
    (site / "sitecustomize.py").write_text("import os\nos._exit(0)\n")
    with pytest.raises(Fault, match="forked"):
        engine.get("pointer", most=9)


def test_each_call_can_be_made_by_another_process(
    on_moto: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = apart.Apart(on_moto.url, 10.0)
    with pytest.raises(GoneError):
        engine.get("pointer", most=9)
    first = engine.put("pointer", b"1")
    second = engine.put("pointer", b"2", first)
    with pytest.raises(LostError):
        engine.put("pointer", b"3", first)
    assert engine.get("pointer", most=9, unless=second["e_tag"]) is None
    found = engine.get("pointer", most=9)
    assert found == on_moto.engine.get("pointer", most=9)
    assert [name for name, _ in engine.list("")] == ["pointer"]
    engine.delete("pointer")
    assert [*engine.list("")] == []
    for program in ("/usr/bin/uwsgi", "/nowhere/python3", ""):
        monkeypatch.setattr(sys, "executable", program)
        with pytest.raises(Fault, match="forked"):
            engine.get("pointer", most=9)
