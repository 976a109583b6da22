"""Where the hooks for PyInstaller are: it asks the wheel by an entry point."""

from __future__ import annotations


def hook_folders() -> list[str]:
    """The function that the entry point `hook-dirs` of the group `pyinstaller40` names."""
    return list(__path__)
