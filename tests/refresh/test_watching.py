"""What a dev server notices within seconds, while the data is fresh: nobody is asked for it."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path

import pytest

from registry_core._config.load import Source
from registry_core._sync.refresh import LOOK_EVERY
from registry_core._sync.watching import Watch
from registry_core._world import World as RealWorld
from tests.refresh.conftest import HOUR, MINUTE, Live, Make, let_pass
from tests.world import World

#: An edit is read at the look after the one that has seen it.
SECONDS = 2 * LOOK_EVERY


@pytest.fixture
def folder(world: World) -> Path:
    """A project; its data is fresh, its files are written."""
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"], "acme": ["large"]})
    folder = world.tmp_path / "project"
    folder.mkdir()
    edit(folder, '"openai"')
    registry = world.registry(source(folder))
    assert registry.sync_gateways().ok
    assert named(folder) == {"openai"}
    world.server.requests.clear()
    return folder


def edit(folder: Path, providers: str, more: str = "") -> None:
    (folder / "pyproject.toml").write_text(
        f'[tool.registry-core.output]\npython = "typings"\n{more}\n'
        f"[tool.registry-core.types]\nproviders = [{providers}]\n"
    )


def source(folder: Path) -> Source:
    return Source({}, folder, {"dev": True, "fetch_retries": 0})


def types(folder: Path) -> Path:
    return folder / "typings" / "registry_core_types.pyi"


def named(folder: Path) -> set[str]:
    text = types(folder).read_text()
    return {id for id in ("openai", "acme") if f'"{id}"' in text}


@pytest.fixture
def dev(world: World, folder: Path, live: Make) -> Live:
    return live(lambda _: world.registry(source(folder)))


def test_an_edited_scope_is_written_within_seconds_and_asks_nobody(dev: Live, folder: Path) -> None:
    assert dev.start() == {}
    dev.let_pass(10 * MINUTE)
    edit(folder, '"openai", "acme"')
    assert dev.let_pass(SECONDS) == {}
    assert named(folder) == {"openai", "acme"}
    assert dev.let_pass(50 * MINUTE) == {"/main.json": 1}  # when it would have been


def test_what_was_edited_before_the_start_is_written_at_the_start(dev: Live, folder: Path) -> None:
    edit(folder, '"acme"')
    assert dev.start() == {}
    assert named(folder) == {"acme"}


@pytest.mark.parametrize("before", [True, False])
def test_a_generated_file_that_is_gone_is_written_again(
    dev: Live, folder: Path, before: bool
) -> None:
    if before:
        shutil.rmtree(folder / "typings")
    assert dev.start() == {}
    if not before:
        shutil.rmtree(folder / "typings")
        assert dev.let_pass(LOOK_EVERY) == {}
    assert named(folder) == {"openai"}


def test_one_that_somebody_has_edited_waits_for_the_next_refresh(dev: Live, folder: Path) -> None:
    dev.start()
    types(folder).write_text("as git has it in another branch")
    dev.let_pass(MINUTE)
    assert types(folder).read_text() == "as git has it in another branch"
    dev.let_pass(HOUR)
    assert named(folder) == {"openai"}


def test_a_file_that_is_half_written_is_not_read(dev: Live, folder: Path) -> None:
    dev.start()
    (folder / "pyproject.toml").write_text("[tool.regis")
    dev.let_pass(LOOK_EVERY)
    edit(folder, '"acme"')
    dev.let_pass(SECONDS)
    assert named(folder) == {"acme"}


def test_a_broken_file_is_said_once_and_the_last_good_settings_stay(
    dev: Live, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "registry_core")
    dev.start()
    for time in (1, 2):  # saved twice
        (folder / "pyproject.toml").write_text("[tool.registry-core")
        os.utime(folder / "pyproject.toml", (time, time))
        dev.let_pass(SECONDS)
    assert dev.let_pass(2 * HOUR) == {"/main.json": 2}
    assert named(folder) == {"openai"}
    shutil.rmtree(folder / "typings")
    dev.let_pass(LOOK_EVERY)
    assert named(folder) == {"openai"}
    edit(folder, '"acme"')
    dev.let_pass(SECONDS)
    assert named(folder) == {"acme"}
    said = [one.getMessage() for one in caplog.records if "settings" in one.getMessage()]
    assert said[0].startswith(f"{folder / 'pyproject.toml'}: can't be parsed: ")
    assert said[0].endswith("; the previous settings stay")
    assert said[1:] == ["the settings can be read again"]


def test_a_value_that_only_plugins_refuse_is_a_broken_file_too(
    dev: Live, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "registry_core")
    dev.start()
    edit(folder, '"acme"', '[tool.registry-core.plugin.test-0]\norder = "first"')
    dev.let_pass(HOUR)
    assert named(folder) == {"openai"}
    (line,) = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert "order = 'first' can't be read" in line


def test_other_edits_of_the_file_cost_no_sync(
    dev: Live, folder: Path, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    dev.start()
    state = world.store.state.stat().st_mtime_ns
    edit(folder, '"openai"', "# a comment")
    dev.let_pass(MINUTE)
    assert world.store.state.stat().st_mtime_ns == state


def test_an_interval_that_is_edited_counts_from_then_on(dev: Live, folder: Path) -> None:
    dev.start()
    path = folder / "pyproject.toml"
    path.write_text(f"[tool.registry-core]\nrefresh_interval_ms = 600000\n{path.read_text()}")
    assert dev.let_pass(5 * MINUTE) == {}
    assert dev.let_pass(5 * MINUTE) == {"/main.json": 1}


def test_a_file_that_can_not_be_written_is_not_tried_at_each_look(
    dev: Live, folder: Path, world: World
) -> None:
    dev.start()
    shutil.rmtree(folder / "typings")
    (folder / "typings").write_text("in the way")
    dev.let_pass(LOOK_EVERY)
    state = world.store.state.stat().st_mtime_ns
    dev.let_pass(MINUTE / 2)
    assert world.store.state.stat().st_mtime_ns == state
    (folder / "typings").unlink()
    dev.let_pass(MINUTE)  # as any failure
    assert named(folder) == {"openai"}


def test_settings_that_were_broken_at_the_start_count_within_seconds_of_being_mended(
    world: World, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text("[tool.registry-core")
    variables = {"REGISTRY_CORE_DEV": "true", "REGISTRY_CORE_PLUGINS": ""}
    given = Source(variables, folder)
    real = RealWorld(source=given, environ=variables, places=world.places, bundle=world.bundle)
    watch = Watch(real)
    for _ in range(3):
        assert watch.look() is None
    (folder / "pyproject.toml").write_text(good)
    looks = [watch.look() for _ in range(3)]
    assert looks == [None, real.host, None]
    assert caplog.records == []  # `prepare`, which fails too, says it


def test_each_of_two_dev_servers_says_once_what_has_changed_whoever_fetched_it(
    world: World, folder: Path, live: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "registry_core")
    both = [live(lambda _: world.registry(source(folder))) for _ in range(2)]
    for one in both:
        one.start()
    world.serve("main", {"openai": ["gpt-6"], "acme": ["large"]})
    let_pass(world, HOUR + LOOK_EVERY, *both)
    assert world.server.paths == ["/main.json"]
    said = [one.getMessage() for one in caplog.records if "openai" in one.getMessage()]
    assert said == ["new: openai/gpt-6", "leaving: openai/gpt-5 removed"] * 2


def test_a_look_at_which_nothing_has_changed_is_a_few_calls_of_stat(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = world.registry(source(folder))
    watch = Watch(registry.world)
    registry.world.host.load()
    for _ in range(2):
        assert watch.look() is None

    def refuse(*_: object) -> None:
        raise AssertionError("opened a file")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(json, "loads", refuse)
    assert watch.look() is None


def test_settings_that_were_given_in_code_stay_and_files_are_watched_all_the_same(
    world: World, folder: Path, live: Make
) -> None:
    settings = source(folder).read()
    one = live(dev=True, outputs=settings.outputs, project=folder, types_providers=("openai",))
    one.start()
    edit(folder, '"acme"')
    shutil.rmtree(folder / "typings")
    one.let_pass(SECONDS)
    assert named(folder) == {"openai"}


def test_nobody_looks_before_an_adapter_says_that_this_is_a_dev_server(
    world: World, folder: Path, live: Make
) -> None:
    settings = source(folder).read()
    one = live(outputs=settings.outputs, project=folder)
    one.start()
    assert one.wanted == MINUTE
    shutil.rmtree(folder / "typings")
    one.let_pass(MINUTE)
    assert not (folder / "typings").exists()
    one.registry.world.in_dev = True
    one.let_pass(MINUTE)
    assert types(folder).exists()
    assert one.wanted <= LOOK_EVERY


def test_what_is_written_and_watched_is_said_at_the_start_with_the_projects_mistakes(
    dev: Live, folder: Path, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Though the data is fresh, so that no sync would say them for an hour."""
    edit(folder, '"openai", "opnai"')
    assert world.registry(source(folder)).sync_gateways().ok
    world.server.requests.clear()
    caplog.set_level(logging.INFO, "registry_core")
    assert dev.start() == {}
    dev.let_pass(2 * HOUR)
    mistake = "[tool.registry-core.types] providers: 'opnai' is not a provider"
    assert [one.getMessage() for one in caplog.records] == [
        "asks main every hour",
        f"writes to typings (python) in {folder}; watches them and pyproject.toml",
        f"auto-refresh: {mistake}; did you mean 'openai'?",
    ]


def test_an_output_that_nobody_writes_is_said_at_the_start(
    dev: Live, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edit(folder, '"openai"', 'pyhton = "other"')
    dev.start()
    (line,) = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert "[tool.registry-core.output] pyhton: no installed plugin writes it" in line
