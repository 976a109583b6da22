"""Makes docs/types-cost.md from the figures of benchmarks.types_cost."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from textwrap import fill
from typing import Any

PY_CHECKERS = ("basedpyright", "pyright", "mypy", "ty", "pyrefly")
PY_TOOLS = ("basedpyright", "mypy, cold", "mypy, warm")
TS_TOOLS = ("tsc 5", "tsc 7")
SERVERS = ("basedpyright", "tsserver 5", "TypeScript 7")
SIZES = {1: "today", 10: "ten times"}
#: Column → the form, and whether the user's type holds all ids (False: those of one provider).
COLUMNS = {
    "single union": ("single union", True),
    "derived": ("derived", True),
    "as emitted": ("emitted", True),
    "as emitted, one provider's type": ("emitted", False),
    "scoped": ("three providers", True),
    "scoped, one provider's type": ("three providers", False),
}
WHOLE = ("ModelId", "KnownModelId", "model_id", "ModelRouterModelId")
PY_FORMS = ("as installed", "scope of two", "`model_id`", "with `@takes_model_id`")
TS_FORMS = ("all ids", "scope of two")
MOST_CHECK, MOST_COMPLETION = 1.1, 40

PAGE = """\
# What the generated types cost

<!-- Made by `python -m benchmarks.types_cost`; changes are overwritten. -->

The real tools ({versions}) read the types of the bundled registry ({today} ids in Python, \
{today_ts} in TypeScript), and of a registry in which each provider has ten times as many models. \
The user's file has a function with one parameter of the type, and a call of it. Where `model_id` \
completes all ids, it has a call of that. "The empty file" is the same with `str` or `string`.

Checks: processor time, as a multiple of that of the empty file in the same round, and in brackets \
seconds on the clock. They are the median of {rounds} rounds.

Completions: the time from a keystroke in the open file to the whole list, the median of up to \
{keystrokes}. In brackets are the server's processor time in that time, and its peak of memory.

Noise: processor time of the empty file differed by up to {noise:.0%} between rounds, time on the \
clock by up to {clock_noise:.0%}. The load of the machine was {load[0]:.1f} before and \
{load[1]:.1f} after; the benchmark itself causes about 1.5. {note}

## The project's own copy: three providers

`[tool.registry-core.types] providers = ["anthropic", "google", "openai"]`

{scoped}

## Ordinary lines of code

One run, on two cores of x86-64. Each line of code is checked in a file of its own. The figure is \
the processor time of a whole check, as a multiple of that with `str` or `string`. The type is \
`ModelId`; as installed also `ProviderId`, and the slower one counts. The first figure is with \
today's ids, the second, for some lines, with ten times as many.

- *As installed*: without a scope.
- *Scope of two*: `providers = ["google", "openai"]`, 91 ids, and 910 of the larger registry.
- *`model_id`*: each value is a `model_id("…")` of all ids.
- *With `@takes_model_id`*: each function also has that decorator.

All figures of a column contain the cost of reading the file of types, once in each run. With \
`str`, {lines_base}.

{lines}

## All providers, beside other forms

- *Single union*: only one flat list of full ids, the obvious form.
- *As emitted* (Python): `model_id("…")`.
- *Derived* (TypeScript): full ids computed from the table of bare ids, as in Mastra.
- *One provider's type*: `Model_openai`, `ModelForProvider<"openai">`.

### Checks

{checks}

### Completions

{completions}

### mypy's message about one wrong id

{messages}
"""


def page(results: dict[str, Any]) -> str:
    """The page, with its paragraphs wrapped at 100 columns."""
    paragraphs = _text(results).split("\n\n")
    return "\n\n".join(map(_wrapped, paragraphs))


def _wrapped(paragraph: str) -> str:
    if paragraph.startswith(("|", "-", "#", "<")):
        return paragraph
    return fill(paragraph, 100, break_long_words=False, break_on_hyphens=False)


def _text(results: dict[str, Any]) -> str:
    checks, completions = results["checks"], results["completions"]
    empty = [figure for figure in checks if figure["use"] == "empty"]
    return PAGE.format(
        versions=", ".join(f"{name} {version}" for name, version in results["versions"].items()),
        today=_ids(completions, "single union", "ModelId"),
        today_ts=_ids(completions, "single union", "ModelRouterModelId"),
        rounds=len(empty[0]["cpu_s"]),
        keystrokes=max(len(figure["ms"]) for figure in completions),
        noise=max(_spread(figure["cpu_s"]) for figure in empty),
        clock_noise=max(_spread(figure["clock_s"]) for figure in empty),
        load=results["load"],
        note=results.get("note", ""),
        scoped=_scoped(checks, completions),
        lines=_lines(results["lines"]),
        lines_base=_lines_base(results["lines"]),
        checks=_by_size(_check_cell, checks, (*PY_TOOLS, *TS_TOOLS)),
        completions=_by_size(_completion_cell, completions, SERVERS),
        messages=_table(
            ("", *SIZES.values()),
            [
                (
                    column,
                    *(
                        f"{_figure(results['messages'], form=form, size=size)['bytes']:,} bytes"
                        for size in SIZES
                    ),
                )
                for column, (form, whole) in COLUMNS.items()
                if whole and form != "derived"
            ],
        ),
    )


def _scoped(checks: list[dict[str, Any]], completions: list[dict[str, Any]]) -> str:
    form = "three providers"

    def row(name: str, target: str, cells: Iterable[str]) -> tuple[str, ...]:
        return (name, target, *cells)

    rows = [
        row(
            f"{tool}, check",
            f"≤ {MOST_CHECK} ×" if "mypy" not in tool else "",
            (_check_cell(_whole(checks, tool=tool, form=form, size=size)) for size in SIZES),
        )
        for tool in ("basedpyright", "mypy, cold", *TS_TOOLS)
    ]
    rows += [
        row(
            f"{tool}, completion",
            f"≤ {MOST_COMPLETION} ms",
            (
                _completion_cell(_whole(completions, tool=tool, form=form, size=size))
                for size in SIZES
            ),
        )
        for tool in SERVERS
    ]
    offered = [
        [figure for figure in completions if figure["form"] == form and figure["size"] == size]
        for size in SIZES
    ]
    rows.append(
        row(
            "ids of up to 50 characters not offered",
            "0",
            (str(sum(figure["missing_short"] for figure in group)) for group in offered),
        )
    )
    sizes = [
        f"{name}: {_ids(completions, form, 'ModelId', size)} ids" for size, name in SIZES.items()
    ]
    return _table(("", "to reach", *sizes), rows)


def _lines(figures: list[dict[str, Any]]) -> str:
    """Tables of lines × tools and forms. A cell holds the ratios of both sizes."""
    base = {
        (figure["tool"], figure["line"]): figure["cpu_s"]
        for figure in figures
        if figure["form"] == "str"
    }

    def cell(tool: str, form: str, size: int, line: str) -> str:
        key = {"tool": tool, "form": form, "size": size, "line": line}
        times = [figure["cpu_s"] for figure in figures if key.items() <= figure.items()]
        if None in times:
            return "crash"
        return f"{max(times) / base[tool, line]:.1f}" if times else ""

    parts = []
    for tools, forms in ((PY_CHECKERS, PY_FORMS), (TS_TOOLS, TS_FORMS)):
        for form in forms:
            lines = dict.fromkeys(
                figure["line"] for figure in figures if figure["tool"] == tools[0]
            )
            rows = [
                (
                    f"`{line}`",
                    *(
                        " · ".join(filter(None, (cell(t, form, size, line) for size in SIZES)))
                        for t in tools
                    ),
                )
                for line in lines
            ]
            language = "Python" if tools is PY_CHECKERS else "TypeScript"
            title = f"{form[:1].upper()}{form[1:]}, {language}:"
            parts.append(f"{title}\n\n{_table(('', *tools), rows)}")
    return "\n\n".join(parts)


def _lines_base(figures: list[dict[str, Any]]) -> str:
    """The seconds of a check with `str`, for each tool."""
    texts = []
    for tool in (*PY_CHECKERS, *TS_TOOLS):
        times = [
            figure["cpu_s"]
            for figure in figures
            if figure["form"] == "str" and figure["tool"] == tool
        ]
        texts.append(f"{tool} takes {median(times):.2f} s")
    return ", ".join(texts)


def _by_size(cell: Any, figures: list[dict[str, Any]], tools: tuple[str, ...]) -> str:
    parts = []
    for size, name in SIZES.items():
        rows = []
        for tool in tools:
            cells = [
                cell(_whole(figures, whole=whole, tool=tool, form=form, size=size))
                for form, whole in COLUMNS.values()
            ]
            rows.append((tool, *cells))
        parts.append(f"{name.capitalize()}:\n\n{_table(('', *COLUMNS), rows)}")
    return "\n\n".join(parts)


def _check_cell(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "–"
    return f"{median(figure['ratios']):.2f} × ({median(figure['clock_s']):.1f} s)"


def _completion_cell(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "–"
    return (
        f"{median(figure['ms']):.0f} ms ({figure['cpu_ms']:.0f} ms, {figure['peak_mib']:.0f} MiB)"
    )


def _whole(
    figures: list[dict[str, Any]], whole: bool = True, **key: object
) -> dict[str, Any] | None:
    fitting = [figure for figure in figures if key.items() <= figure.items()]
    used = [figure for figure in fitting if figure["use"] != "empty"]
    return next((figure for figure in used if (figure["use"] in WHOLE) is whole), None)


def _figure(figures: list[dict[str, Any]], **key: object) -> dict[str, Any]:
    return next(figure for figure in figures if key.items() <= figure.items())


def _ids(completions: list[dict[str, Any]], form: str, use: str, size: int = 1) -> str:
    return f"{_figure(completions, form=form, use=use, size=size)['ids']:,}"


def _spread(times: list[float]) -> float:
    return (max(times) - min(times)) / median(times)


def _table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heading = list(heading)
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
