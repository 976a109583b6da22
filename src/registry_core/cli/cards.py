"""One model, or one provider, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.text import Text

from .._base.printable import counted
from ..models import CAPABILITIES
from .common import painted
from .screen import STYLES, fitted, pairs, show, text
from .tables import fitting, models_table
from .values import PRICES, UNKNOWN_URL, days_until, price, tiers, url_of, when

if TYPE_CHECKING:
    from ..models import Cost, ModelInfo, ProviderConfig
    from ..registry import ModelRegistry

_UNKNOWN = "unknown"
_CAN = {
    "attachment": "attachments",
    "open_weights": "open weights",
    "structured_output": "structured output",
    "tool_call": "tools",
}
_MODELS = ("id", "context", "input_cost", "output_cost", "released", "can", "note")


def model_card(
    mine: ModelRegistry,
    model: ModelInfo,
    provider: ProviderConfig,
    goes: Mapping[str, Any],
    role: str | None,
    today: date,
    color: str,
) -> None:
    title = text(model.full_id, "bold")
    if model.name:
        title.append_text(text(f"  {model.name}"))
    if role:
        title.append_text(text(f"  (the role {role})"))
    rows = [
        ("kind", _or_unknown(model.kind)),
        *([("family", text(model.family))] if model.family else ()),
        *_call(provider, goes),
        ("price", _price(model.cost)),
        ("context", _limits(model)),
        ("takes", _or_unknown(", ".join(model.modalities.input or ()))),
        ("makes", _or_unknown(", ".join(model.modalities.output or ()))),
        *_abilities(model),
        ("released", _or_unknown(model.release_date)),
        ("knows until", _or_unknown(model.knowledge)),
        *_lifecycle(mine, model, today),
        ("source", text(provider.gateway or _UNKNOWN)),
    ]
    last = text(f"Who says so: registry-core show {model.full_id} --sources")
    show(title, text(""), pairs(rows), text(""), last, color=painted(color))


def provider_card(
    mine: ModelRegistry, provider: ProviderConfig, goes: Mapping[str, Any], today: date, color: str
) -> None:
    title = text(provider.id, "bold")
    if provider.name:
        title.append_text(text(f"  {provider.name}"))
    rows = [*_call(provider, goes)]
    if provider.doc_url:
        rows.append(("docs", text(provider.doc_url)))
    rows.append(("source", text(provider.gateway or _UNKNOWN)))
    ids = [f"{provider.id}/{bare}" for bare in provider.models]
    models = [mine.get_model(id) for id in ids]
    newest = sorted(
        (
            model
            for model in models
            if model and model.status_on(today) not in ("deprecated", "retired")
        ),
        key=lambda model: model.release_date or "",
        reverse=True,
    )
    shown = [model.full_id for model in newest]
    ends = counted(len(ids), "model")
    above = [title, text(""), pairs(rows), text("")]
    if shown:
        room = max(5, fitting() - len(rows) - 3)
        drawn, count = fitted(
            lambda count: models_table(mine, shown[:count], _MODELS, today), len(shown), room
        )
        above += [drawn, text("")]
        if count < len(ids):
            how = f"registry-core list --provider {provider.id} --all"
            ends = f"the newest {count:,} of {ends}; all: {how}"
    show(*above, text(ends), color=painted(color))


def _call(provider: ProviderConfig, goes: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    if provider.unroutable:
        yield "call", text(f"not with a URL and a key: {provider.unroutable}", "red")
        return
    url = goes["url"] if goes["url_from"] in ("gateway", "well known") else url_of(goes)
    if url:
        yield "call", text(f"{url}  {goes['dialect']}")
    else:
        yield "call", text(f"{UNKNOWN_URL} {goes['url_variable']}")
    variables = {**goes["keys"], **goes["places"]}
    shown = Text()
    for name, is_set in variables.items():
        shown.append_text(text(f"{', ' if shown else ''}{name} "))
        shown.append_text(text("set", STYLES["set"]) if is_set else text("not set", STYLES["not"]))
    yield "key", shown if variables else text("none is named")
    if goes["refused"]:
        yield "refused", text(goes["refused"], "red")


def _price(cost: Cost | None) -> Text:
    if cost is None or (cost.input is None and cost.output is None):
        return text(_UNKNOWN, "dim")
    parts = [
        f"${price(value)} {word}"
        for name, word in PRICES.items()
        if (value := getattr(cost, name)) is not None
    ]
    shown = text(f"{', '.join(parts)} (per million tokens)")
    for tier in tiers(cost.tiers):
        shown.append("\n").append_text(text(tier))
    return shown


def _limits(model: ModelInfo) -> Text:
    limit = model.limit
    parts = [
        f"{value:,} {word}"
        for value, word in (
            (limit.context, "tokens"),
            (limit.input, "of them in"),
            (limit.output, "of them out"),
        )
        if value is not None
    ]
    return _or_unknown(", ".join(parts))


def _abilities(model: ModelInfo) -> Iterator[tuple[str, Text]]:
    words: dict[bool | None, list[str]] = {True: [], False: [], None: []}
    for name in CAPABILITIES:
        words[getattr(model, name)].append(_CAN.get(name, name))
    for value, label in ((True, "can"), (False, "can't"), (None, "unknown")):
        if words[value]:
            yield label, text(", ".join(words[value]), "dim" if value is None else "")


def _lifecycle(mine: ModelRegistry, model: ModelInfo, today: date) -> Iterator[tuple[str, Text]]:
    status = model.status_on(today)
    if status:
        yield "status", text(status, "red" if status in ("deprecated", "retired") else "")
    dates = model.lifecycle
    for label, day in (("deprecated", dates.deprecated_on), ("retires", dates.retires_on)):
        remaining = days_until(day, today)
        if remaining is not None:
            style = "red" if remaining <= 0 else "magenta"
            yield label, text(f"{day}, {when(remaining)}", style)
        elif label == "retires":
            yield label, text(_UNKNOWN, "dim")
    if dates.successor:
        full_ids = (dates.successor, f"{model.provider_id}/{dates.successor}")
        lacking = "" if any(map(mine.get_model, full_ids)) else ", which no gateway lists"
        yield "successor", text(f"{dates.successor}{lacking}")


def _or_unknown(value: str | None) -> Text:
    return text(value) if value else text(_UNKNOWN, "dim")
