"""JSON schemas as rules of a grammar in Lark's notation, which llguidance reads."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["json_rule"]


def json_rule(schema: Mapping[str, Any], *, lenient: bool = False) -> str:
    """All JSON that matches a schema, as Lark takes it. A `lenient` rule passes over what no
    grammar can say (that items are unique, what names properties may have).

    Between tokens a space or a line with its indentation may stand: a small model that may write
    any amount of white space sometimes writes nothing else.
    """
    manners = {
        "whitespace_pattern": r"( |\n[ \t]{0,16})?",
        "coerce_one_of": True,  # alternatives that exclude each other, as those of unions do
        "lenient": lenient,
    }
    return f"%json {json.dumps({**schema, 'x-guidance': manners})}"
