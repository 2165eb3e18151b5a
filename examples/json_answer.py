"""An answer that must match a schema: python examples/json_answer.py.

Every model keeps to a schema; what it says in it is its own. The embedded one knows little, so it
gets a choice.
"""

import json

import localspec

SCHEMA = {
    "type": "object",
    "properties": {"capital": {"enum": ["Oslo", "Paris", "Rome"]}},
    "required": ["capital"],
    "additionalProperties": False,
}

with localspec.load("shell") as llm:
    answer = llm.generate("What is the capital of France?", json_schema=SCHEMA, temperature=0)
    print(json.loads(answer.text))
