"""The version, where every module may look at it."""

__version__ = "0.1.0"
