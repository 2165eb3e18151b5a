"""The keys that hold now, in one line at the bottom."""

from collections.abc import Iterable, Iterator

from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

__all__ = ["Hints"]

_MARGIN = 4  # cells, on both sides, as chat.tcss says
_WAYS_OUT = ("help", "back")  # which are always there, and last


class Hints(Footer):
    """As many as fit whole, each said once."""

    def __init__(self) -> None:
        super().__init__(compact=True, show_command_palette=False)

    def compose(self) -> ComposeResult:
        """Keys and what they do."""
        keys: dict[str, FooterKey] = {}
        for key in super().compose():
            if isinstance(key, FooterKey):
                keys.setdefault(key.description, key)
        width = self.size.width or self.app.size.width - 2 * _MARGIN
        yield from _fitting(keys.values(), width)

    def on_resize(self) -> None:
        """As many as fit now."""
        self.call_after_refresh(self.recompose)


def _fitting(keys: Iterable[FooterKey], width: int) -> Iterator[FooterKey]:
    """Those that fit `width` cells, ways out before all others; these stand last."""
    ordered = sorted(keys, key=_is_way_out)
    left = width + 1  # behind the last one there need be no space
    left -= sum(map(_cells, filter(_is_way_out, ordered)))
    for key in ordered:
        left -= 0 if _is_way_out(key) else _cells(key)
        if _is_way_out(key) or left >= 0:
            yield key


def _is_way_out(key: FooterKey) -> bool:
    return key.description in _WAYS_OUT


def _cells(key: FooterKey) -> int:
    return len(key.key_display) + len(key.description) + 2  # a space within, and one after
