"""A list to choose from, narrowed by typing."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from rich.cells import set_cell_size
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from localspec.tui.backend import Choice
from localspec.tui.screens.sheet import Listed
from localspec.tui.text import shorten

__all__ = ["Picker"]

_NAME_WIDTH = 24
_REST_SECONDS = 0.15


class Picker(Listed[str | None]):
    """Dismissed with the name that was chosen, or what was typed where nothing fits it.

    What is highlighted is explained below the list: by its detail, or by `explain`, which is given
    its name on another thread.
    """

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        hint: str = "",
        explain: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._choices, self._hint = title, choices, hint
        self._explain = explain
        self._known = {choice.name: choice.detail for choice in choices if choice.detail}
        self._shown: list[Choice] = []

    def content(self) -> Iterator[Widget]:
        """A title, what is typed, the list."""
        yield Static(self._title, classes="name", markup=False)
        yield Input(placeholder="type to narrow the list")
        yield OptionList()
        if self._explain or self._known:
            yield Static(id="detail", markup=False)
        if self._hint:
            yield Static(self._hint, classes="hint", markup=False)

    def on_mount(self) -> None:
        """Show everything."""
        self._fill("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        self._fill(event.value)

    def _fill(self, typed: str) -> None:
        words = typed.lower().split()
        self._shown = [
            choice
            for choice in self._choices
            if all(word in f"{choice.name} {choice.meaning}".lower() for word in words)
        ]
        options = self.options
        options.clear_options()
        options.add_options(map(self._option, self._shown))
        options.highlighted = 0 if self._shown else None

    def _option(self, choice: Choice) -> Option:
        label = set_cell_size(shorten(choice.label or choice.name, _NAME_WIDTH), _NAME_WIDTH)
        meaning = shorten(choice.meaning, self.room - _NAME_WIDTH - 4)
        return Option(Content.assemble(f"{label}  ", (meaning, "$foreground-muted")))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Explain it, once that is known."""
        name = self._shown[event.option_index].name
        self._tell(self._known.get(name, "…" if self._explain else ""))
        self.run_worker(self._learn(name), exclusive=True)

    async def _learn(self, name: str) -> None:
        """Ask for an explanation, once the highlight has come to rest."""
        if self._explain and name not in self._known:
            await asyncio.sleep(_REST_SECONDS)
            try:
                self._known[name] = await asyncio.to_thread(self._explain, name)
            except Exception as error:  # whatever it was, the list stays usable
                self._known[name] = f"{name} cannot be looked at: {error}"
            self._tell(self._known[name])

    def _tell(self, words: str) -> None:
        for line in self.query("#detail").results(Static):
            line.update(words)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Choose what is highlighted, or what was typed."""
        at = self.options.highlighted
        self.dismiss(self._shown[at].name if at is not None else event.value.strip() or None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Choose by a click."""
        self.dismiss(self._shown[event.option_index].name)
