"""`registry-core check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from registry_core.command import registry_command

from .findings import LEVELS

if TYPE_CHECKING:
    from registry_core.command import Invocation


_NO_DATES = (
    "no model is known to retire on any day, so none is said to: pip install "
    "registry-facts-litellm, or another source of facts"
)


class _Days(click.ParamType[int]):
    """`90d` or `90`."""

    name = "days"

    def convert(self, value: object, param: object, ctx: object) -> int:
        text = str(value).strip().lower().removesuffix("d")
        if not text.isdecimal() or len(text) > 5:
            self.fail(f"{value!r} is not a number of days, such as 90d")
        return int(text)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@click.option(
    "--within",
    type=_Days(),
    default="90d",
    show_default=True,
    help="Say which models retire within so many days.",
)
@click.option(
    "--fail-on",
    type=click.Choice([*LEVELS, "never"]),
    default="retiring",
    show_default=True,
    help="Exit with status 1 if there is a finding as urgent as this, or more.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="How to print what was found.",
)
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False),
    help="Leave out what this file holds from an earlier run.",
)
@click.option(
    "--write-baseline",
    type=click.Path(dir_okay=False),
    help="Write what is found to this file, and succeed.",
)
@registry_command
def check(
    invocation: Invocation,
    paths: tuple[str, ...],
    within: int,
    fail_on: str,
    form: str,
    baseline: str | None,
    write_baseline: str | None,
) -> None:
    """Say which model ids the files at PATHS name that are of no use any more, or soon.

    Levels, from the least to the most urgent: unknown, deprecated, retiring, withheld, retired.
    """
    from . import baseline as baselines
    from .checking import check as run
    from .formats import as_github, as_sarif, as_text

    findings = run(paths or (".",), registry=invocation.registry, within=within)
    for path, reason in findings.skipped:
        invocation.complain(f"{path}: {reason}")
    if not findings.dated:
        invocation.complain(_NO_DATES)
    if baseline is not None:
        findings = baselines.without(findings, baseline)
    if write_baseline is not None:
        baselines.write(findings, write_baseline)
    if form == "sarif":
        from importlib.metadata import version

        invocation.say_json(as_sarif(findings, version("registry-check")))
    elif form == "json" or invocation.as_json:
        invocation.say_json(findings.to_dict())
    else:
        invocation.say(*(as_github if form == "github" else as_text)(findings))
    if fail_on != "never" and write_baseline is None and findings.at_least(fail_on):
        raise SystemExit(1)
