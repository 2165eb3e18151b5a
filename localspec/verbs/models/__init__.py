"""`localspec models`: one file an action."""

import argparse
from importlib import import_module

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Do what was asked; returns the exit code."""
    action = import_module(f"{__name__}.{options.action}")
    code: int = action.run(options)
    return code
