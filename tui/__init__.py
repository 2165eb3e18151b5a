"""The terminal chat will live here: the Textual app, its chat store, its styles."""
