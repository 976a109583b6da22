"""A small catalog with dates, and the labelled corpus; `benchmarks/check_corpus.py` uses both."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from registry_core import ModelRegistry, ProviderConfig, Snapshot
from registry_core.records import provider_from_record

TODAY = date(2026, 11, 26)
GONE, SOON = {"retires_on": "2026-10-23"}, {"retires_on": "2027-01-15"}
GPT = {**GONE, "successor": "openai/gpt-5.6-sol"}
DEPRECATED = {"status": "deprecated"}

#: Provider → bare id → what is known of it: a lifecycle, or fields of a record.
CATALOG: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "acme": {"acme-large-1": GONE, "acme-large-2": {}},
    "amazon-bedrock": {"anthropic.claude-3-sonnet-20240229-v1:0": GONE,
                       "anthropic.claude-sonnet-5": {}},
    "anthropic": {"claude-3-opus-20240229": GONE,
                  "claude-sonnet-4-5": {"retires_on": "2026-11-30"}, "claude-sonnet-5": {}},
    "azure": {"gpt-4": {}, "gpt-4o": {}},
    "cohere": {"command": GONE, "command-a-03-2025": {}},
    "google": {"gemini-1.5-pro": GONE, "gemini-2.5-pro": SOON, "gemini-3.8-flash": {}},
    "google-vertex-anthropic": {"claude-3-5-sonnet@20240620": GONE},
    "openai": {"gpt-3.5-turbo": GPT, "gpt-4": GPT, "gpt-4o": SOON, "gpt-4o-mini": DEPRECATED,
               "gpt-5.6-sol": {}, "o1": GPT, "text-embedding-3-small": {}},
    "openrouter": {"anthropic/claude-3-opus": GONE, "anthropic/claude-sonnet-4.5": {}},
    "xai": {"grok-5": {}},
}  # fmt: skip
WITHHELD = {"deepseek": "registry-policy", "xai/grok-beta": "registry-policy"}
ROLES = {"fast": "openai/gpt-3.5-turbo", "smart": "openai/gpt-5.6-sol"}
URLS = {"acme": "https://api.acme.example/v1"}


def _provider(id: str) -> ProviderConfig:
    models = {
        bare: {"lifecycle": known} if "retires_on" in known else dict(known)
        for bare, known in CATALOG[id].items()
    }
    return provider_from_record(id, {"url": URLS.get(id), "models": models})


def make_snapshot() -> Snapshot:
    return Snapshot.build(map(_provider, CATALOG), withheld=WITHHELD, roles=ROLES)


@frozen
class Case:
    """One file of the corpus. `marked`: (line, column, text, level); "no" marks a decoy."""

    kind: str
    path: str
    text: str
    marked: tuple[tuple[int, int, str, str], ...]

    def expected(self) -> set[tuple[int, int, str, str]]:
        return {one for one in self.marked if one[3] != "no"}


def cases() -> Iterator[Case]:
    """Every file of the corpus, without its marks."""
    for page in sorted(Path(__file__).parent.glob("corpus/*.txt")):
        for block in re.split(r"^=== ", page.read_text("utf-8"), flags=re.M)[1:]:
            head, _, text = block.partition("\n")
            kind, path = head.split()
            lines, marked = [], []
            for number, line in enumerate(text.splitlines(), 1):
                while found := re.search(r"⟦(\w+):([^⟧]*)⟧", line):
                    marked.append((number, found.start() + 1, found[2], found[1]))
                    line = line[: found.start()] + found[2] + line[found.end() :]
                lines.append(line)
            yield Case(kind, path, "\n".join(lines) + "\n", tuple(marked))


def pytest_configure(config: pytest.Config) -> None:
    config.registry_check_cases = lambda: [*cases()]  # type: ignore[attr-defined]


@pytest.fixture
def today() -> date:
    return TODAY


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    return make_snapshot()


@pytest.fixture(scope="session")
def sarif_schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """SARIF's own, from a package of Microsoft's."""
    folder = tmp_path_factory.mktemp("sarif")
    pack = ["npm", "pack", "-q", "@microsoft/sarif-multitool-linux@5.7.0"]
    name = subprocess.run(pack, cwd=folder, capture_output=True, text=True, check=True).stdout
    with tarfile.open(folder / name.strip()) as archive:
        return json.load(archive.extractfile("package/sarif-2.1.0.json"))  # type: ignore[arg-type]


@pytest.fixture
def registry(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModelRegistry]:
    """The process's own, of the small catalog."""
    file = tmp_path / "small.snapshot"
    file.write_bytes(snapshot.to_bytes())
    monkeypatch.setenv("REGISTRY_CORE_SNAPSHOT", str(file))
    monkeypatch.setenv("REGISTRY_CORE_STORE_DIR", str(tmp_path / "store"))
    ModelRegistry.reset_instance()
    yield ModelRegistry.get_instance()
    ModelRegistry.reset_instance()
