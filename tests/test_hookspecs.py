"""The hooks are named alike, and each says when it is called and since when it exists."""

from __future__ import annotations

import pytest

from registry_core import hookspec, plugin as hookspecs
from registry_core._plugins.hook_rules import HOOKS


def test_the_markers_are_of_this_project() -> None:
    assert hookspec.project_name == "registry_core"
    assert hookspecs.hookimpl.project_name == "registry_core"


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_carries_the_prefix_and_tells_its_story(hook: str) -> None:
    assert hook.startswith("registry_")
    story = getattr(hookspecs, hook).__doc__
    assert "Since 0." in story
    assert "Called" in story
