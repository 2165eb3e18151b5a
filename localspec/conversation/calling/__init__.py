"""Functions a model may call: how it says so, a grammar for it, and reading it back."""
