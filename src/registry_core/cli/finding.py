"""Find ids for `list`: errors name its options, and for an empty result it is said why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

from .common import missing, refuse_unknown

if TYPE_CHECKING:
    from .._catalog.filters import Filters
    from ..registry import ModelRegistry

#: Options whose names differ from the names of filters.
_OPTIONS = {
    "max_input_cost": "max-input",
    "max_output_cost": "max-output",
    "released_since": "since",
}
#: What only an option takes, not the filter.
_HINTS = {
    "since": "or a time before today: 30d, 2w, 6m, 1y",
    "retires-before": "or a time after today: 30d, 2w, 6m, 1y",
}
_NO_DATES = (
    "no model has a day of retirement, which sources of facts give: "
    "pip install registry-facts-litellm, then registry-core sync"
)


def find(mine: ModelRegistry, text: tuple[str, ...], filters: Mapping[str, Any]) -> tuple[str, ...]:
    """The full ids that fit. Raises ArgumentError, which names the option."""
    from ..errors import ArgumentError

    try:
        return mine.find_ids(text or None, **cast("Filters", filters))
    except ArgumentError as error:
        name = _OPTIONS.get(error.culprit, error.culprit.replace("_", "-"))
        hint = error.hint or _HINTS.get(name, "")
        raise ArgumentError(error.message, culprit=f"--{name}", hint=hint) from None


def left_out(
    mine: ModelRegistry, text: tuple[str, ...], filters: Mapping[str, Any], ids: Sequence[str]
) -> int:
    """The number of further models that are deprecated or retired."""
    all_ids = find(mine, text, {**filters, "include_deprecated": True})
    return len(all_ids) - len(ids)


def say_why(mine: ModelRegistry, text: tuple[str, ...], filters: Mapping[str, Any]) -> NoReturn:
    """Say why nothing was found, as far as known, and end with exit status 1."""
    refuse_unknown(filters.get("provider", ()), mine.get_models(), "provider")
    refuse_unknown(filters.get("gateway", ()), mine.snapshot().gateways, "gateway")
    of_end = "retires_before" in filters or "retired" in filters.get("status", ())
    if of_end and not mine.find_ids(retires_before="9999-12-31", include_deprecated=True):
        missing(_NO_DATES)
    gone = find(mine, text, {**filters, "include_deprecated": True})
    if gone and "status" not in filters:
        subject = f"{gone[0]} is" if len(gone) == 1 else f"{len(gone)} are"
        missing(f"nothing current fits; {subject} deprecated or retired: --all")
    if not filters:
        missing(f"no provider or model contains {all_of(text)}", " ".join(text), mine)
    unbound = find(mine, text, {**filters, "include_unknown": True})
    if unbound:
        missing(f"no model is known to fit; of {len(unbound)} it is unknown: --include-unknown")
    if filters.get("usable") and find(mine, text, {**filters, "usable": False}):
        missing("no model that fits is usable: registry-core providers says which keys are set")
    missing("no model fits")


def all_of(text: Iterable[str]) -> str:
    """The words of `text`, in a message about what contains them."""
    words = [word for part in text for word in part.split()]
    return f"all of {', '.join(map(repr, words))}" if len(words) > 1 else repr(" ".join(words))
