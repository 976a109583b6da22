"""`find_models` with any filters together finds what a plain loop over today's models finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from registry_core import ModelInfo, Snapshot
from registry_core._catalog.bundle import Bundle

TODAY = "2026-11-26"
#: Filter → what is asked for, of which some.
CHOICES: dict[str, list[Any]] = {
    "supports": [["tool_call"], ["reasoning", "structured_output"], ["open_weights"]],
    "input": [["image"], ["text", "pdf"], ["audio"]],
    "output": [["text"], ["image"], ["audio", "text"]],
    "kind": [["chat"], ["image", "embedding"], ["moderation"]],
    "min_context": [0, 8_000, 200_000, 1_000_000],
    "max_input_cost": [0, 0.1, 3],
    "max_output_cost": [0, 0.5, 15],
    "text": ["claude", "gpt 5", "gemini flash"],
    "include_unknown": [True],
    "include_deprecated": [True],
}


@cache
def bundled() -> Snapshot:
    return Bundle.of_wheel().load()


def answers(model: ModelInfo, filters: dict[str, Any]) -> Iterator[bool | None]:
    """What the model says to each filter; None if that is unknown."""
    made, cost = model.modalities.output, model.cost
    bounds = {
        "min_context": model.limit.context,
        "max_input_cost": cost and cost.input,
        "max_output_cost": cost and cost.output,
    }
    said = f"{model.full_id} {model.name} {model.family}".casefold()
    for name, wanted in filters.items():
        if name == "supports":
            yield from (getattr(model, one) for one in wanted)
        elif name == "input":
            yield from (model.accepts(one) for one in wanted)
        elif name == "output":
            yield from (None if made is None else one in made for one in wanted)
        elif name == "kind":
            yield None if model.kind is None else model.kind in wanted
        elif name == "text":
            yield all(word in said for word in wanted.split())
        elif name in bounds:
            value = bounds[name]
            at_least = name.startswith("min")
            yield None if value is None else value >= wanted if at_least else value <= wanted
    if "include_deprecated" not in filters:
        yield model.status_on(TODAY) not in ("deprecated", "retired")


@pytest.mark.parametrize("seed", range(40))
def test_any_filters_together(seed: int) -> None:
    chance = random.Random(seed)
    names = chance.sample([*CHOICES], chance.randrange(1, 6))
    filters = {name: chance.choice(CHOICES[name]) for name in names}
    fits = (True, None) if "include_unknown" in filters else (True,)
    wanted = [
        model
        for provider in bundled().get_providers().values()
        for model in provider.models.values()
        if all(answer in fits for answer in answers(model, filters))
    ]
    assert [*bundled().find_models(today=TODAY, **filters)] == wanted
