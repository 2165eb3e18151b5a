"""An answer that must match a schema: python examples/json_answer.py."""

import json

import localspec

SCHEMA = {
    "type": "object",
    "properties": {"command": {"type": "string"}, "dangerous": {"type": "boolean"}},
    "required": ["command", "dangerous"],
    "additionalProperties": False,
}

with localspec.load("shell") as llm:
    answer = llm.generate(
        "How do I list files by size? Answer in JSON.",
        json_schema=SCHEMA,
        temperature=0,
        max_tokens=96,
    )
    print(json.loads(answer.text))
