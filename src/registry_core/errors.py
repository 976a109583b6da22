"""One tree of errors. Each names its culprit and the hint, and survives pickling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._base.printable import message, printable


class RegistryError(Exception):
    """Base of every error that registry-core raises on purpose.

    `culprit` names the plugin, gateway, file, provider or variable at fault;
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
        """Message and hint on one line, for where the culprit is named already."""
        return message(f"{self.message} ({self.hint})" if self.hint else self.message)

    def mask(self, mask: Callable[[str], str]) -> None:
        """Hide secrets in its texts; and drop what led to it, which may hold some, too."""
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
    """What a stranger's error says, in one text; it may fail even at that, or try to exit."""
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
    """`error` itself if it is one of ours, else one of `kind` that says the same, and where in
    the package of `module` it was raised; without secrets, and without the traceback, whose
    frames hold whatever was at hand."""
    try:
        if isinstance(error, RegistryError):
            error.message, error.culprit = _plain(error.message), _plain(error.culprit or culprit)
            error.hint = _plain(error.hint)
            error.mask(mask)
            error.__traceback__ = None
            _ = str(error), error.text  # as they will be asked for, where nothing is caught
            return error
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # a subclass of theirs, or given what is no text
        del fault
    return kind(mask(f"{error_text(error)}{_place(error, module)}"), culprit=culprit)


def _place(error: BaseException, module: str) -> str:
    """The last line of the package of `module` that `error` came through: ", in acme/io.py,
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
    """A `str` and no subclass, whose methods are its author's. Raises TypeError for anything
    else."""
    return str.__str__(text)


class ArgumentError(RegistryError, ValueError):
    """A function was given what it can't use: the culprit is the argument."""


class SettingsError(RegistryError):
    """A variable, pyproject key or argument that can't be read, or names what isn't there."""


class PluginError(RegistryError):
    """A plugin that can't be loaded, or that broke the contract of a hook."""


class OverlayError(PluginError):
    """An overlay failed; policy fails closed, so the previous generation stays."""


class GatewayError(RegistryError):
    """A gateway could not be fetched, or sent what can't be used.

    `status` is that of the answer, such as 404; None if no status says what is wrong.
    """

    def __init__(
        self, message: str, *, culprit: str = "", hint: str = "", status: int | None = None
    ) -> None:
        super().__init__(message, culprit=culprit, hint=hint)
        self.status = status


class GatewayTimeoutError(GatewayError):
    """A gateway did not answer before its deadline."""


class UnreachableError(GatewayError):
    """Nobody answers there: refused, cut off, no such host."""


class OfflineError(GatewayError):
    """The network is switched off (`REGISTRY_CORE_OFFLINE`, `sync --offline`)."""


class ShrunkError(GatewayError):
    """A gateway sent far fewer models than its last good data holds; quarantined."""


class StoreError(RegistryError):
    """The store, or a file in it, can't be used."""


class SnapshotDamagedError(StoreError):
    """A snapshot file is truncated, corrupt, or not a snapshot."""


class TargetError(RegistryError):
    """An artifact or a target that can't be written."""


class SyncError(RegistryError):
    """A sync failed as a whole."""


class ResolveError(RegistryError):
    """No endpoint for this model. The base of what `resolve` raises."""


class UnknownModelError(ResolveError):
    """No provider in the registry has this model."""


class UnroutableError(ResolveError):
    """The provider is known, but can't be called with a URL and a key."""


class MissingCredentialError(ResolveError):
    """None of the variables that could hold the key is set."""


class HostChangedError(ResolveError):
    """A credential would go to a host that it is not bound to."""


class WithheldError(ResolveError):
    """A policy keeps this model from being used, or has not seen the data yet."""


class ExchangeError(ResolveError, GatewayError):
    """The model's gateway failed to make an endpoint, as where it exchanges a token for a key.

    What the gateway raised is its cause, unless that shows a secret.
    """


class DialectError(ResolveError):
    """A client helper for another dialect than the endpoint speaks."""
