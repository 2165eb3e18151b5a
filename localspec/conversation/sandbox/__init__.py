"""Jinja for templates from strangers: nothing within reach but values, and an end to everything.

A template sees text, numbers, lists and dicts, namespaces, its own macros, and the functions put
into `globals`. No single step takes long or makes a value above LARGEST bytes, and at each step
the meter is asked whether time and memory are left. So a template that never ends, or grows
without end, raises ModelError soon after its limit, in any thread and without signals:

- Loops go through `each`; calls, filters, operators, literals and slices end in `made`, which
  charges for what they made. The few that make much out of little are measured beforehand.
- A list or dict weighs what it would weigh written out, so twins of twins of twins cannot hide.
- Statements, attributes, functions and filters that chat templates have no use for are refused.
"""

from localspec.conversation.sandbox.environment import Sandbox
from localspec.conversation.sandbox.meter import LARGEST

__all__ = ["LARGEST", "Sandbox"]
