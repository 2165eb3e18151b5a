"""JSON to typed bodies; what does not fit is refused in a sentence that names the field."""

import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from localspec.wire.errors import Refusal

__all__ = ["read"]

Body = TypeVar("Body", bound=msgspec.Struct)

_WHERE = re.compile(r" - at `\$\.?(.*)`$")


def read(data: bytes | Mapping[str, object], body: type[Body], ignored: frozenset[str]) -> Body:
    """`data` as a `body`. Fields that are `ignored` may be there, unknown ones only as null.

    Raises Refusal.
    """
    try:
        given = msgspec.json.decode(data) if isinstance(data, bytes) else data
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refusal(f"The body is not JSON: {_first_line(error)}.") from None
    if not isinstance(given, Mapping):
        raise Refusal("The body must be a JSON object.")
    known = {field.encode_name for field in msgspec.structs.fields(body)}
    said = (name for name, value in given.items() if value is not None)
    unknown = next((name for name in said if name not in known and name not in ignored), None)
    if unknown is not None:
        raise Refusal(
            f"Unrecognized request argument supplied: {str(unknown)[:100]}",
            param=str(unknown)[:100],
            code="unknown_parameter",
        )
    try:
        return msgspec.convert(given, body)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _mismatch(_first_line(error)) from None


def _mismatch(said: str) -> Refusal:
    """What msgspec says ("Expected `int`, got `str` - at `$.n`"), as a refusal."""
    found = _WHERE.search(said)
    what = said[: found.start()] if found else said
    if not found or not found[1]:
        missing = re.search(r"missing required field `(\w+)`", what)
        param = missing[1] if missing else None
        return Refusal(f"The body does not fit: {what}.", param=param, code="invalid_value")
    return Refusal(f"{found[1]} does not fit: {what}.", param=found[1], code="invalid_type")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300].rstrip(".")
