"""The command `localspec`, also as `python -m localspec`."""

import sys

__all__ = ["main"]


def main() -> int:
    """Run it; returns its exit code. Ctrl-C is quiet, also while there is still much to import."""
    try:
        from localspec import cli

        return cli.main()
    except KeyboardInterrupt:
        from localspec.errors import INTERRUPTED

        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
