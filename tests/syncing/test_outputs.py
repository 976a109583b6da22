"""What the user's own folders get: with --output, and what the project names."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from registry_core import Settings, SettingsError
from registry_core._sync.options import Options
from tests.syncing.looking import files
from tests.world import World


def test_output_gets_everything_and_the_project_nothing(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    output, project = world.tmp_path / "out", world.tmp_path / "project"
    world.sync(
        Options(project=True), output=output, project=project, outputs={"json": project / "x"}
    )
    assert {path.name for path in output.iterdir()} >= {
        "provider-registry.json",
        "provider-types.generated.d.ts",
        "registry_core_types.pyi",
    }
    assert not project.exists()


def test_a_file_that_was_written_outside_of_the_project_is_named_as_a_whole(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    project, other = world.tmp_path / "project", world.tmp_path / "other"
    caplog.set_level("INFO", "registry_core")
    outputs = {"json": project / "data", "python": other}
    assert world.sync(Options(project=True), project=project, outputs=outputs).ok
    (line,) = [one.getMessage() for one in caplog.records]
    files = f"data/provider-registry.json, {other / 'registry_core_types.pyi'}"
    assert sorted(line.rpartition(": ")[2].split(", ")) == sorted(files.split(", "))


def test_the_project_gets_what_its_output_table_names_in_its_scope(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"], "hidden": ["h"]})
    folder = world.tmp_path / "project"
    settings: dict[str, Any] = {
        "project": folder,
        "outputs": {"python": folder / "typings"},
        "types_providers": ("openai",),
    }
    world.sync(Options(project=False), **settings)
    assert not folder.exists()
    world.sync(Options(project=True), **settings)
    scoped = (folder / "typings" / "registry_core_types.pyi").read_text()
    assert "gpt-5" in scoped
    assert "hidden" not in scoped
    assert "hidden" in (world.store.place / "registry_core_types.pyi").read_text()


def test_a_changed_output_table_counts_at_once(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-old"]}, etag='"1"')
    project = world.tmp_path / "project"
    for folder in ("one", "two"):
        outputs = {"json": project / folder}
        world.sync(Options(project=True), project=project, outputs=outputs)
        assert (project / folder / "provider-registry.json").exists()


def test_settings_default_to_nothing_that_touches_a_project() -> None:
    assert Settings().outputs == {}
    assert attrs.fields_dict(Settings)["output"].default is None


def test_check_names_the_files_that_differ_and_writes_nothing(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5", "gpt-old"]})
    output = world.tmp_path / "out"
    world.sync(output=output)
    before = files(world.tmp_path)
    assert world.check(output=output)[1] == ()
    world.serve("main", {"openai": ["gpt-6", "gpt-old"]})
    report, differing = world.check(output=output)
    assert report.ok
    assert str(output / "provider-registry.json") in differing
    after = files(world.tmp_path)
    assert before == after


def test_check_without_a_target_is_a_settings_error(world: World) -> None:
    with pytest.raises(SettingsError, match="--output"):
        world.check()


def test_what_few_need_is_made_only_while_the_project_gives_it_a_folder(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"]}, etag='"1"')
    project, installed = world.tmp_path / "project", world.store.place
    names = {
        "litellm": "model_prices_and_context_window.json",
        "models-dev": "api.json",
        "schema": "models.schema.json",
    }
    asked: dict[str, Any] = {
        "project": project,
        "outputs": dict.fromkeys(names, project / "public"),
    }

    world.sync(Options(project=True), project=project)
    assert not {*names.values()} & {path.name for path in installed.iterdir()}

    world.sync(Options(project=True), **asked)
    assert {path.name for path in (project / "public").iterdir()} == {*names.values()}
    for name in names.values():
        assert (project / "public" / name).read_bytes() == (installed / name).read_bytes()
    output = world.tmp_path / "out"
    world.sync(Options(project=True), **asked, output=output)
    assert {*names.values()} <= {path.name for path in output.iterdir()}

    assert world.sync(Options(project=True), **asked).written == ()
    world.sync(Options(project=True), project=project)
    assert not {*names.values()} & {path.name for path in installed.iterdir()}


def test_the_scope_of_the_types_counts_for_editors_and_not_for_other_tools(world: World) -> None:
    world.gateway("main")
    world.serve("main", {"openai": ["gpt-5"], "hidden": ["h"]})
    folder = world.tmp_path / "project"
    world.sync(
        Options(project=True),
        project=folder,
        outputs=dict.fromkeys(("litellm", "models-dev", "schema"), folder),
        types_providers=("openai",),
    )
    assert "hidden" not in (folder / "models.schema.json").read_text()
    assert "hidden/h" in (folder / "model_prices_and_context_window.json").read_text()
    assert '"hidden"' in (folder / "api.json").read_text()
