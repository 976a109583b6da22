"""Who says what of a model: the gateway that publishes it, others, facts, overlays, the bundle."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from registry_core import (
    FieldSources,
    ModelRegistry,
    ProviderConfig,
    Said,
    Settings,
    Snapshot,
    UnknownModelError,
)
from registry_core.testing import write_distribution
from tests.reliability.shell import Shell

ROOT = Path(__file__).parents[2]

GATEWAYS = """
class Whole(Gateway):
    def fetch_providers(self, client):
        said = self._said.items()
        models = {id: ModelInfo(id=id, provider_id="openai", **fields) for id, fields in said}
        return {"openai": ProviderConfig("openai", models)}

@hookimpl
def registry_gateways():
    first = Whole("first", _said={
        "gpt": {"limit": {"context": 100}, "cost": {"input": 2, "output": 8}, "name": "GPT"},
        "old": {"name": "Old"},
    })
    second = Whole("second", _said={"gpt": {"limit": {"context": 200}, "name": "GPT"}})
    return [first, second]
"""
FACTS = """
from datetime import UTC, datetime
from registry_core import FactSource

class Dates(FactSource):
    id = name = "dates"
    def fetch_facts(self, client):
        return {
            "openai/gpt": {
                "lifecycle": {"retires_on": "2027-01-01"},
                "limit": {"context": 100, "output": 7},
                "cost": {"input": 3},
                "source_url": "https://dates.example/gpt",
                "as_of": "2026-11-01",
            },
        }
    def bundled(self):
        facts = {"openai/old": {"lifecycle": {"retires_on": "2026-12-24"}}}
        return facts, datetime(2026, 11, 1, tzinfo=UTC)

@hookimpl
def registry_facts():
    return [Dates()]
"""
POLICY = """
@hookimpl
def registry_overlay(snapshot):
    openai = snapshot.get_provider_config("openai")
    gpt = openai.models["gpt"].replace(name="Ours")
    return snapshot.with_providers([openai.replace(models={**openai.models, "gpt": gpt})])
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    shell.install("two", GATEWAYS)
    return shell


def said(shell: Shell, *arguments: str) -> dict[str, Any]:
    done = shell.run("show", *arguments, "--sources", "--json")
    assert done.status == 0, done.err
    found = json.loads(done.out)
    assert found["schema"] == 1
    return {one["field"]: one for one in found["fields"]}


def test_each_field_has_its_source_and_who_says_otherwise(shell: Shell) -> None:
    shell.install("dates", FACTS)
    assert shell.run("sync").status == 0
    fields = said(shell, "openai/gpt")
    context = fields["limit.context"]
    assert (context["value"], context["source"]["source"]) == (100, "first")
    assert [one["source"] for one in context["agree"]] == ["dates"]
    assert [(one["source"], one["value"]) for one in context["otherwise"]] == [("second", 200)]
    retires = fields["lifecycle.retires_on"]["source"]
    assert (retires["source"], retires["kind"], retires["value"]) == (
        *("dates", "facts"),
        "2027-01-01",
    )
    assert (retires["source_url"], retires["as_of"]) == ("https://dates.example/gpt", "2026-11-01")
    retrieved = datetime.fromisoformat(retires["retrieved_at"])
    assert abs((datetime.now(UTC) - retrieved).total_seconds()) < 600
    price = fields["cost.input"]
    assert (price["value"], price["source"]["source"]) == (2, "first")
    assert [(one["source"], one["value"]) for one in price["otherwise"]] == [("dates", 3)]
    assert fields["limit.output"]["source"]["source"] == "dates"


def test_a_sync_counts_of_facts_the_models_that_they_speak_of(shell: Shell) -> None:
    shell.install(
        "dates",
        FACTS.replace("openai/gpt", "gone/gpt").replace(
            "return {",
            """return {
            "openai/old": {"lifecycle": {"retires_on": "2027-01-01"}},""",
            1,
        ),
    )
    lines = shell.run("sync").out.splitlines()
    cells = {name: rest for name, *rest in map(str.split, lines[:4])}
    assert cells["first"][:3] == ["fresh", "1", "2"]
    assert cells["dates"][:2] == ["fresh", "1"]  # no provider, and one of its two models is offered
    assert len({line.index("current") for line in lines[1:4]}) == 1


def test_more_input_than_the_context_holds_is_another_context(shell: Shell) -> None:
    for limit, others in ((100, []), (101, [("dates", 101)])):
        told = FACTS.replace('"limit": {"context": 100,', f'"limit": {{"input": {limit},')
        shell.install("dates", told)
        assert shell.run("sync").status == 0
        said = json.loads(shell.run("show", "openai/gpt", "--sources", "--json").out)["fields"]
        (context,) = (one for one in said if one["field"] == "limit.context")
        found = [(one["source"], one["value"]) for one in context["otherwise"]]
        assert found == [*others, ("second", 200)] or found == [("second", 200), *others]


def test_what_an_overlay_changed_is_its(shell: Shell) -> None:
    shell.install("ours", POLICY)
    assert shell.run("sync").status == 0
    name = said(shell, "openai/gpt")["name"]
    assert (name["value"], name["source"]["kind"]) == ("Ours", "overlay")
    assert name["source"]["source"] == "ours:ours"
    assert {one["source"] for one in name["otherwise"]} == {"first", "second"}


def test_without_a_source_of_facts_retirement_is_unknown_not_never(shell: Shell) -> None:
    assert shell.run("sync").status == 0
    done = shell.run("show", "openai/gpt", "--sources", "--field", "lifecycle.retires_on")
    assert done.out == "lifecycle.retires_on\tunknown\t\t\t\tserved\n"
    drawn = shell.run(
        "show", "openai/gpt", "--field", "lifecycle", "--color", "never", COLUMNS="99"
    )
    assert drawn.out == "lifecycle\tunknown\t\t\t\tserved\n"
    drawn = shell.run("show", "openai/gpt", "--field", "lifecycle", "--color", "always")
    assert "nobody says" in drawn.out
    assert "no source of facts has been asked" in drawn.out


@pytest.mark.slow
def test_disagreements_of_all_models_with_counts(shell: Shell) -> None:
    shell.install("dates", FACTS)
    assert shell.run("sync").status == 0
    done = shell.run("list", "--disagreements")
    assert done.err == ("sources differ about 1 of 2 models: 1 in cost.input, 1 in limit.context\n")
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert [(row[0], row[1], row[2], row[3], row[-1]) for row in rows] == [
        ("openai/gpt", "cost.input", "2", "first", "served"),
        ("openai/gpt", "cost.input", "3", "dates", "otherwise"),
        ("openai/gpt", "limit.context", "100", "first,dates", "served"),
        ("openai/gpt", "limit.context", "200", "second", "otherwise"),
    ]
    found = json.loads(shell.run("list", "--disagreements", "--field", "cost", "--json").out)
    assert (found["asked"], found["counts"]) == (2, {"cost.input": 1})
    drawn = shell.run("list", "--disagreements", "--color", "always", COLUMNS="120").out
    assert "3.00 dates" in drawn
    one = shell.run("show", "openai/gpt", "--disagreements").out.splitlines()
    assert len(one) == 4
    agreed = shell.run("show", "openai/old", "--disagreements")
    assert (agreed.out, agreed.status) == ("", 0)
    assert "sources agree on every field of openai/old" in agreed.err


def test_before_the_first_sync_it_is_the_bundle(tmp_path: Path) -> None:
    registry = ModelRegistry(Settings(store_dir=tmp_path))
    found = {one.field: one for one in registry.sources("openai/gpt-4o")}
    price = found["cost.input"]
    assert isinstance(price, FieldSources)
    assert isinstance(price.source, Said)
    assert (price.value, price.source.source, price.source.kind) == (2.5, "models.dev", "gateway")
    assert FieldSources("a", 1, Said("b", "facts", 1)).to_dict()["source"]["as_of"] is None
    captured = registry.world.bundle.captured["models.dev"]
    assert price.source.retrieved_at == datetime.fromtimestamp(captured, UTC)
    assert price.to_dict()["source"]["retrieved_at"] == price.source.retrieved_at.isoformat()
    assert "lifecycle.retires_on" not in found
    assert registry.disagreements(["openai/gpt-4o", "openai/gone"]) == {}
    with pytest.raises(UnknownModelError, match=r"did you mean 'openai/gpt-4o'"):
        registry.sources("openai/gpt4o")


def test_of_a_snapshot_file_nobody_knows_the_age(tmp_path: Path) -> None:
    file = tmp_path / "snapshot"
    file.write_bytes(
        Snapshot.build([ProviderConfig("a", ["m"], gateway="g")], gateways={"g": ""}).to_bytes()
    )
    registry = ModelRegistry.from_snapshot(file)
    assert registry.sources("a/m") == ()
    assert registry.disagreements() == {}


def test_the_facts_in_litellms_package_name_their_page_offline(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    source = ROOT / "plugins/registry-facts-litellm/src"
    write_distribution(
        shell.site,
        "registry-facts-litellm",
        entry_points={"litellm-cost-map": "registry_facts_litellm"},
    )
    shell.plugins += ["registry-facts-litellm", "registry-gateway-models-dev"]
    shell.environ["PYTHONPATH"] += f":{source}"
    done = shell.run("sync", "--offline")
    assert (done.status, done.err) == (0, "")
    shown = shell.run("show", "openai/gpt-5", "--sources", "--field", "lifecycle.retires_on")
    field, value, by, when, page, role = shown.out.rstrip("\n").split("\t")
    assert (field, by, role) == ("lifecycle.retires_on", "litellm-cost-map", "served")
    assert value.startswith("20")
    assert when.startswith("20")
    assert page.startswith("https://")
