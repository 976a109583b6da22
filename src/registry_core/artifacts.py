"""What writer hooks return."""

from __future__ import annotations

from attrs import frozen


@frozen
class Artifact:
    """A file to be written to every target that wants this emitter's files.

    `emitter` is the name that `[tool.registry-core.output]` maps to a folder
    ("json", "typescript", "capabilities", "python", or a plugin's own); `path` is
    relative to that folder, with forward slashes; `text` is the whole content,
    written as UTF-8 with its newlines as they are.
    """

    emitter: str
    path: str
    text: str
