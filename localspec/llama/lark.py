"""JSON schemas as rules of a grammar in Lark's notation, which llguidance reads."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["json_rule"]


def json_rule(schema: Mapping[str, Any]) -> str:
    """All JSON that matches a schema, as Lark takes it.

    Between tokens a space or a line with its indentation may stand: a small model that may write
    any amount of white space sometimes writes nothing else.
    """
    manners = {"whitespace_pattern": r"( |\n[ \t]{0,16})?"}
    return f"%json {json.dumps({**schema, 'x-guidance': manners})}"
