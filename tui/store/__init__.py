"""Where conversations are kept: one SQLite file, in it trees of messages."""

from localspec.tui.store.schema import StoreError
from localspec.tui.store.store import Store, Summary
from localspec.tui.store.tree import Message, Role, Tree

__all__ = ["Message", "Role", "Store", "StoreError", "Summary", "Tree"]
