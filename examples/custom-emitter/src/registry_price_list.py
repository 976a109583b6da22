"""Emitter `prices`: `prices.csv`, a row per model. What is unknown is an empty cell."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

from registry_core import (
    Artifact,
    ModelInfo,
    PluginSettings,
    SettingsError,
    Snapshot,
    hookimpl,
)

HEADER = ("model", "status", "context", "input USD/M", "output USD/M")


@hookimpl
def registry_emit(snapshot: Snapshot, settings: PluginSettings) -> Iterable[Artifact]:
    wanted = settings.options.get("providers")
    if not (wanted is None or isinstance(wanted, (list, tuple))):  # a text would hold parts of ids
        raise SettingsError("expected a list", culprit="providers", hint='write ["openai"]')
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADER)
    for id, provider in snapshot.get_providers().items():
        if wanted is None or id in wanted:
            writer.writerows(map(row, provider.models.values()))
    return [Artifact("prices", "prices.csv", file.getvalue())]


def row(model: ModelInfo) -> tuple[object, ...]:
    price = model.cost
    return (
        text(model.full_id),
        text(model.status or ""),
        model.limit.context,
        price.input if price else None,
        price.output if price else None,
    )


def text(value: str) -> str:
    """`value` as a spreadsheet shows it, not as a formula that it runs."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
