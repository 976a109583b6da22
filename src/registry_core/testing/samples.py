"""Snapshots and reports for testing hooks: empty ones, small ones, and ones with odd texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .._catalog.snapshot import Snapshot
from ..models import ModelInfo, ProviderConfig
from ..report import GatewayReport, Problem, SyncReport

_KNOWN: Mapping[str, Any] = {
    "name": "Large",
    "kind": "chat",
    "tool_call": True,
    "reasoning": False,
    "release_date": "2026-01-31",
    "modalities": {"input": ["text", "image"], "output": ["text"]},
    "limit": {"context": 200_000, "output": 0},
    "cost": {"input": 1.25, "output": 0},
    "status": "deprecated",
}
_ODD = ("a/b/c", "a\"b'c", "=1+1", "<b>&", "{x}", "$x", "\\n", "ü\u2028é", "x" * 200)

SAMPLE = Snapshot.build(
    [
        ProviderConfig(
            "acme",
            {
                "large": ModelInfo("large", "acme", **_KNOWN),
                "small": ModelInfo("small", "acme"),
            },
            name="Acme",
            url="https://llm.acme.example/v1",
            api_key_env_vars="ACME_TOKEN",
        ),
        ProviderConfig("openai", ["gpt-4o"]),
    ],
    {"acme": "acme-gateway:acme", "openai": "openai-gateway:openai"},
)
"""One model with many known fields, and models with none."""

ODD = Snapshot.build(
    [
        ProviderConfig(
            "acme", {id: ModelInfo(id, "acme", name=f"{id}\n{id}") for id in _ODD}, name='"A"\n'
        )
    ]
)
EMPTY_SNAPSHOT = Snapshot.build([])

_NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
REPORTS = (
    SyncReport(_NOW),
    SyncReport(
        _NOW,
        gateways=(GatewayReport("acme", "Acme", "fresh", "fetched", providers=1, models=2),),
        added=("acme/large", "acme/small"),
        changed=True,
        snapshot_hash=SAMPLE.hash,
        providers=2,
        models=3,
    ),
    SyncReport(
        _NOW,
        gateways=(GatewayReport("acme", "Acme", "failed", "none", error="can't be reached"),),
        problems=(Problem("overlay", "acme", "the last generation stays"),),
    ),
    SyncReport(_NOW, offline=True, pinned="frozen.snapshot"),
)
"""Reports of an empty sync, a good one, a failed one, and one that asked no gateway."""
