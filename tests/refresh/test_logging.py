"""The log tells why everything was done or not, under one name, and nothing goes elsewhere."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

import registry_core
from registry_core import Disabled
from registry_core._sync.options import Options
from tests.loopback import Reply
from tests.world import World

ROOT = Path(registry_core.__file__).parent


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [one.getMessage() for one in caplog.records if one.name == "registry_core"]
    caplog.clear()
    return found


def test_a_sync_tells_what_it_did_and_why(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "registry_core")
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"]}, etag='"1"')
    world.gateway("second")
    world.server.route("/second.json", Reply(404))
    world.gateway("shy", should_enable=lambda settings: Disabled("set SHY_TOKEN"))
    registry = world.registry()

    registry.sync_gateways()
    said = lines(caplog)
    assert "main: fresh, fetched data is used, 1 models" in said
    assert any(
        one.startswith("second: failed, bundled data is used, 1 models: ") and "404" in one
        for one in said
    )
    assert "shy: disabled, no data, 0 models: set SHY_TOKEN" in said
    assert any(re.fullmatch(r"store: generation \w+ is current", one) for one in said)
    assert any(re.fullmatch(r"environment target \S+: 3 files written .*", one) for one in said)

    registry.sync_gateways()
    said = lines(caplog)
    assert "main: unchanged, stored data is used, 1 models" in said
    assert "store: nothing has changed" in said
    assert any(re.fullmatch(r"environment target \S+: up to date", one) for one in said)

    world.now += 60
    world.sync(Options(fresh_for=3600, retry_after=3600))
    said = lines(caplog)
    assert "main: not asked, it was 60 s ago: unchanged" in said
    assert "second: not asked, it was 60 s ago: failed" in said

    world.sync(offline=True)
    assert "main: offline, stored data is used, 1 models" in lines(caplog)


def test_there_is_one_logger_and_no_print() -> None:
    """`cli` talks to people; everything else to the log."""
    for path in ROOT.rglob("*.py"):
        text = path.read_text()
        names = set(re.findall(r"getLogger\(([^)]*)\)", text))
        assert names <= {'"registry_core"', 'f"urllib3.{name}"'}, path
        if "cli" not in path.parts:
            assert not re.search(r"\bprint\(|sys\.std(out|err)", text), path
