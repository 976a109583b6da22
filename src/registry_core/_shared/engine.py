"""The bucket, or another engine that holds the objects: get, conditional put, list, delete.

Credentials are in the engine's own variables, which obstore reads. Its errors hold URLs and other
private details, so their texts are never repeated.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

from attrs import frozen

from ..errors import RegistryError

T = TypeVar("T")

_RETRIES = 2
_WRITABLE = ("s3", "gs", "az")
_YES = ("1", "true", "on", "yes", "y")  # as obstore has it
_CHECK = "check the engine's own variables"
#: In an error of obstore, which has the prefix, too → message and hint.
_KNOWN = (
    (
        ">(NoSuchBucket|ContainerNotFound)<",
        "there is no such bucket",
        "make it, or correct REGISTRY_CORE_SHARED",
    ),
    (
        "without LOCATION|>AuthorizationHeaderMalformed<",
        "is in another region",
        "set AWS_REGION to that of the bucket",
    ),
    (
        ">RequestTimeTooSkewed<",
        "refuses requests, since the clock of this machine is wrong",
        "set the clock",
    ),
    (
        "builder error|InvalidUri|RelativeUrl",
        "can't be asked at its endpoint",
        f"{_CHECK}: an endpoint is a URL, and one with http:// needs AWS_ALLOW_HTTP=true",
    ),
    (
        r"//(169\.254\.169\.254|metadata\.google\.internal)/",
        "can't be asked without credentials",
        f"{_CHECK}, or give this machine a role",
    ),
)


class Fault(RegistryError):
    """The engine, or an object in it, can't be used. Never raised to callers of a sync."""


class GoneError(Fault):
    """There is no such object."""


class LostError(Fault):
    """The condition of a put is false: another machine was faster."""


Version = Mapping[str, str]
"""What a conditional put needs: the ETag of an object, and its version if it has one."""


@frozen
class Found:
    data: bytes
    version: Version
    modified: float
    """Epoch seconds by the engine's clock."""


class Engine:
    """The objects below one URL. Each method raises Fault, at the latest after twice `patience`
    (seconds), since a sync holds the store's lock while it waits."""

    def __init__(self, url: str, patience: float = 10.0) -> None:
        self.url, self._patience = url, patience
        self.scheme = url.partition(":")[0]

    @property
    def writable(self) -> bool:
        return self.scheme in _WRITABLE

    def get(self, name: str, *, most: int, unless: str | None = None) -> Found | None:
        """The object; None if its ETag is `unless`. Raises GoneError, and Fault for an object of
        more than `most` bytes."""

        def read() -> Found | None:
            try:
                options: Any = {"if_none_match": unless} if unless else None
                result = self._obstore.get(self._store, name, options=options)
            except self._obstore.exceptions.NotModifiedError:
                return None
            data = bytearray()
            for part in result.stream():
                data += part
                if len(data) > most:
                    raise Fault(
                        f"{name} holds more than {most / 2**20:g} MiB",
                        culprit=self.url,
                        hint="raise fetch_max_bytes if that is right",
                    )
            meta = result.meta
            return Found(bytes(data), _version(meta), meta["last_modified"].timestamp())

        return self._tried(name, read)

    def put(self, name: str, data: bytes, version: Version | None = None) -> Version:
        """Create the object, or replace its `version`. Returns the new version. Raises LostError
        if there is an object already, or another version."""
        mode: Any = "create" if version is None else dict(version)
        return self._tried(
            name,
            lambda: _version(
                self._obstore.put(self._store, name, data, mode=mode, use_multipart=False)
            ),
        )

    def delete(self, *names: str) -> None:
        """Delete these objects. If one of them is gone already, others may stay."""
        if names:
            with suppress(GoneError):
                self._tried(names[0], lambda: self._obstore.delete(self._store, list(names)))

    def list(self, folder: str) -> Iterator[tuple[str, float]]:
        """Name and epoch seconds, by the engine's clock, of each object below `folder`."""

        def read() -> list[tuple[str, float]]:
            chunks = self._obstore.list(self._store, prefix=folder)
            return [
                (about["path"], about["last_modified"].timestamp())
                for chunk in chunks
                for about in chunk
            ]

        yield from self._tried(folder, read)

    @cached_property
    def _obstore(self) -> Any:
        try:
            import obstore
            import obstore.exceptions
        except ImportError:
            raise Fault(
                "needs obstore, which is not installed",
                culprit="REGISTRY_CORE_SHARED",
                hint="pip install 'registry-core[fleet]'",
            ) from None
        return obstore

    @cached_property
    def _store(self) -> Any:
        store: Any = self._obstore.store
        if self.scheme == "file":
            return store.from_url(self.url)
        limit = f"{max(int(self._patience * 1000), 1)}ms"
        client: dict[str, Any] = {"connect_timeout": limit, "timeout": limit}
        # These options replace those that obstore reads from the environment.
        allowed = [f"{vendor}_ALLOW_HTTP" for vendor in ("AWS", "AZURE", "GOOGLE")]
        is_plain = self.scheme == "http" or any(
            os.environ.get(name, "").lower() in _YES for name in allowed
        )
        retries = {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=self._patience)}
        with suppress(Exception):  # whose text may hold a credential
            options = {**client, "allow_http": is_plain}
            return store.from_url(self.url, client_options=options, retry_config=retries)
        raise Fault("can't be used as it is set up here", culprit=self.url, hint=_CHECK)

    def _tried(self, name: str, do: Callable[[], T]) -> T:
        try:
            return do()
        except Fault:
            raise
        except BaseException as error:
            # A panic of obstore is no Exception. What else is none belongs to the caller.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            fault = self._fault(name, error)
        raise fault  # outside of `except`: the original error may hold a credential

    def _fault(self, name: str, error: BaseException) -> Fault:
        known, text = self._obstore.exceptions, str(error)
        for pattern, message, hint in _KNOWN:
            if re.search(pattern, text):
                return Fault(message, culprit=self.url, hint=hint)
        if isinstance(error, (FileNotFoundError, known.NotFoundError)):
            return GoneError(f"has no {name}", culprit=self.url)
        if isinstance(error, (known.AlreadyExistsError, known.PreconditionError)):
            return LostError(f"has another {name} now", culprit=self.url)
        denied = (known.PermissionDeniedError, known.UnauthenticatedError, PermissionError)
        status = re.search(r"status code: (\d{3})", text)
        refused = (status and status[1] in ("401", "403")) or ">ExpiredToken<" in text
        if isinstance(error, denied) or refused:
            return Fault(
                f"refuses {name} to these credentials",
                culprit=self.url,
                hint=f"{_CHECK}, and the rights of that account",
            )
        missing = re.search(r"(Content-Length|Last-Modified|ETag) Header missing", text)
        if missing:
            message = f"sends {name} without {missing[1]}: a proxy may compress it"
        elif status:
            message = f"answered {status[1]} for {name}"
        elif "Unable to canonicalize" in text:
            message = "is not there"
        elif "TimedOut" in text or "timed out" in text:
            message = "did not answer in time"
        elif "error sending request" in text or "dns error" in text:
            message = "can't be reached"
        else:
            message = f"can't be used: {type(error).__name__} at {name}"
        return Fault(
            message, culprit=self.url, hint="the copy of this machine stays; it is asked again"
        )


def _version(about: Mapping[str, Any]) -> Version:
    return {name: str(about[name]) for name in ("e_tag", "version") if about.get(name)}
