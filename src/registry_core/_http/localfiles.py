"""A payload in a file that a `file:` URL names. It is read on each request."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .._files.reading import open_file
from ..errors import GatewayError, StoreError


def is_local(url: str) -> bool:
    return url[:5].lower() == "file:"


def read_local(url: str, *, most: int, culprit: str) -> bytes:
    """What is in the file. Raises GatewayError if it is no regular file of this machine that
    can be read, or holds more than `most` bytes.

    Only for a URL that a plugin or the user has named: no redirect leads here.
    """
    try:
        parts = urlsplit(url)
        path = url2pathname(parts.path)
        if parts.netloc.lower() not in ("", "localhost") or not Path(path).is_absolute():
            problem = "names no file of this machine: it must be file:///absolute/path"
        elif (descriptor := open_file(path)) is None:
            problem = "is not there"
        else:
            with os.fdopen(descriptor, "rb") as file:
                body = file.read(most + 1)
            if len(body) <= most:
                return body
            problem = f"holds more than {most / 2**20:g} MiB"
    except StoreError as error:
        problem = error.message
    except OSError as error:
        problem = f"can't be read: {error.strerror}"
    except ValueError:
        problem = "is not a URL of a file"
    raise GatewayError(problem, culprit=culprit, hint="check the url")
