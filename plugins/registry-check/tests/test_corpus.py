"""What is said of real-looking code, by kind of file and client, labelled by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from registry_check import check

conftest: Any = pytest.importorskip("conftest") if False else None
