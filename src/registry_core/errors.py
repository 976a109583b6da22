"""One tree of errors. Each has a culprit and a hint, and survives pickling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._base.printable import message, printable


class RegistryError(Exception):
    """Base of every error that registry-core raises on purpose.

    `culprit` names the plugin, gateway, file, provider or variable at fault.
    `hint` says what to do about it.
    """

    def __init__(self, message: str, *, culprit: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.culprit = culprit
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.culprit}: {self.message}" if self.culprit else self.message
        return printable(f"{text} ({self.hint})" if self.hint else text)

    @property
    def text(self) -> str:
        """Message and hint on one line, without the culprit."""
        return message(f"{self.message} ({self.hint})" if self.hint else self.message)

    def mask(self, mask: Callable[[str], str]) -> None:
        """Hide secrets in all texts. Also drops the cause, which may contain secrets, too."""
        self.message, self.culprit = mask(self.message), mask(self.culprit)
        self.hint = mask(self.hint)
        self.args = (self.message,)
        self.__cause__ = self.__context__ = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.culprit, self.hint, self._more())

    def _more(self) -> dict[str, Any]:
        known = ("message", "culprit", "hint", "__notes__")
        return {key: value for key, value in self.__dict__.items() if key not in known}


def _rebuild(
    cls: type[RegistryError], message: str, culprit: str, hint: str, more: dict[str, Any]
) -> RegistryError:
    error = cls.__new__(cls, message)
    RegistryError.__init__(error, message, culprit=culprit, hint=hint)
    error.__dict__.update(more)
    return error


def error_text(error: BaseException) -> str:
    """The text of an error from foreign code, whose `__str__` may itself raise or exit."""
    try:
        text = str(error)
        if issubclass(type(error), RegistryError):
            return _plain(text)
        return f"{type(error).__name__}: {text}" if text else type(error).__name__
    except KeyboardInterrupt:
        raise  # the user's
    except BaseException:
        return type(error).__name__


def as_error(
    error: BaseException,
    kind: type[RegistryError],
    culprit: str,
    mask: Callable[[str], str],
    module: str = "",
) -> RegistryError:
    """`error` as a RegistryError without secrets: itself, if it is one, else a `kind`.

    A new one says where in the package of `module` it was raised. The traceback is dropped,
    since its frames may hold secrets.
    """
    try:
        if isinstance(error, RegistryError):
            error.message, error.culprit = _plain(error.message), _plain(error.culprit or culprit)
            error.hint = _plain(error.hint)
            error.mask(mask)
            error.__traceback__ = None
            _ = str(error), error.text  # tried now, since later nobody catches what they raise
            return error
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # a foreign subclass, or its texts are not str
        del fault
    return kind(mask(f"{error_text(error)}{_place(error, module)}"), culprit=culprit)


def _place(error: BaseException, module: str) -> str:
    """The last line in the package of `module` that `error` passed through, as ", in acme/io.py,
    line 12"; "" if there is none."""
    package, place = module.partition(".")[0], ""
    trace = error.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        if package and name.partition(".")[0] == package:
            path = trace.tb_frame.f_code.co_filename.replace("\\", "/").split("/")
            depth = name.count(".") + 1 + (path[-1] == "__init__.py")
            place = f", in {'/'.join(path[-depth:])}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _plain(text: str) -> str:
    """`text` as a plain `str`: the methods of a subclass may do anything. Raises TypeError for
    any other type."""
    return str.__str__(text)


class ArgumentError(RegistryError, ValueError):
    """An argument of a function has a wrong value. The culprit is the argument."""


class SettingsError(RegistryError):
    """A variable, pyproject key or argument can't be read, or names something that is missing."""


class PluginError(RegistryError):
    """A plugin can't be loaded, or broke the rules of a hook."""


class OverlayError(PluginError):
    """An overlay failed. Policy fails closed, so the previous generation stays."""


class GatewayError(RegistryError):
    """A gateway could not be fetched, or its answer can't be used.

    `status` is the HTTP status of a failed request, such as 404; else None.
    """

    def __init__(
        self, message: str, *, culprit: str = "", hint: str = "", status: int | None = None
    ) -> None:
        super().__init__(message, culprit=culprit, hint=hint)
        self.status = status


class GatewayTimeoutError(GatewayError):
    """A gateway did not answer before its deadline."""


class UnreachableError(GatewayError):
    """No server answers: connection refused, cut off, no such host."""


class OfflineError(GatewayError):
    """The network is switched off (`REGISTRY_CORE_OFFLINE`, `sync --offline`)."""


class ShrunkError(GatewayError):
    """A gateway sent far fewer models than its last good data has. The result is quarantined."""


class StoreError(RegistryError):
    """The store, or a file in it, can't be used."""


class SnapshotDamagedError(StoreError):
    """A snapshot file is truncated, corrupt, or not a snapshot."""


class TargetError(RegistryError):
    """An artifact or a target can't be written."""


class SyncError(RegistryError):
    """A sync failed as a whole."""


class ResolveError(RegistryError):
    """There is no endpoint for this model. Base of all errors of `resolve`."""


class UnknownModelError(ResolveError):
    """No provider in the registry has this model."""


class UnroutableError(ResolveError):
    """The provider is known, but can't be called with a URL and a key."""


class MissingCredentialError(ResolveError):
    """None of the variables that could hold the key is set."""


class HostChangedError(ResolveError):
    """A credential would go to a host that it is not bound to."""


class WithheldError(ResolveError):
    """A policy withholds this model, or has not passed the data that is served."""


class ExchangeError(ResolveError, GatewayError):
    """The model's gateway could not make an endpoint, for example exchange a token for a key.

    Its cause is what the gateway raised, unless that shows a secret.
    """


class DialectError(ResolveError):
    """A client helper of another dialect was called."""
