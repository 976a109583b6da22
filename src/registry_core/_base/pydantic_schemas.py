"""How pydantic validates and serializes our values. Imported only when pydantic is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_type_hints

from attrs import NOTHING
from pydantic_core import core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, ValidatorFunctionWrapHandler
    from pydantic_core import CoreSchema


Write = Callable[[Any], Any]
"""Turns one of our values into plain JSON values."""


def of_value(cls: type[Any], handler: GetCoreSchemaHandler, write: Write) -> CoreSchema:
    """The schema of an attrs class, from its annotations. Its converters check values again."""
    hints = get_type_hints(cls)
    fields = {
        attribute.alias: core_schema.typed_dict_field(
            handler.generate_schema(hints[attribute.name]), required=attribute.default is NOTHING
        )
        for attribute in cls.__attrs_attrs__
    }
    return _schema(
        cls,
        core_schema.typed_dict_schema(
            fields, config={"title": cls.__name__}, extra_behavior="ignore"
        ),
        lambda values: cls(**values),
        write,
    )


def of_mapping(
    cls: type[Any], item: type[Any], handler: GetCoreSchemaHandler, write: Write
) -> CoreSchema:
    """The schema of a mapping from ids to `item`. Only the owner can check that keys and items
    fit."""
    items = core_schema.dict_schema(core_schema.str_schema(), handler.generate_schema(item))
    return _schema(cls, items, dict, write)


def _schema(
    cls: type[Any], schema: CoreSchema, make: Callable[[Any], Any], write: Write
) -> CoreSchema:
    """Accepts an instance unchanged, or makes one from a value that fits `schema`."""

    def validated(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        if isinstance(value, cls):
            return value
        known = check(value)
        try:
            return make(known)
        except TypeError as error:  # pydantic lets it through
            raise ValueError(str(error)) from None

    return core_schema.no_info_wrap_validator_function(
        validated,
        schema,
        serialization=core_schema.plain_serializer_function_ser_schema(write),
        ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
    )
