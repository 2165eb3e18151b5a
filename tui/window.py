"""The chat itself, below all sheets: what stands where, and how it is told what to show."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from localspec.tui.figures import Figures
from localspec.tui.text import shorten
from localspec.tui.widgets.conversation import Conversation
from localspec.tui.widgets.hints import Hints
from localspec.tui.widgets.panel import Panel
from localspec.tui.widgets.prompt import Prompt, Suggestion
from localspec.tui.widgets.strip import Strip

__all__ = ["Window"]

_OPEN = "-figures"
_NAME_LENGTH = 32


class Window(Vertical):
    """Title, conversation, prompt, figures, keys. `suggest` says how a line may go on."""

    def __init__(self, suggest: Callable[[str], list[Suggestion]]) -> None:
        super().__init__()
        self.conversation = Conversation()
        self.prompt = Prompt(suggest)
        self.strip = Strip()

    def compose(self) -> ComposeResult:
        """From the title down to the keys."""
        with Horizontal(id="middle"):
            with Vertical(id="column"):
                with Vertical(id="above"), Horizontal(id="top"):
                    yield Static(id="title", markup=False)
                    yield Static(id="model", markup=False)
                yield self.conversation
                with Vertical(id="below"):
                    yield Static(id="notice", markup=False)
                    yield self.prompt
                    yield self.strip
            yield Panel(id="figures")
        with Horizontal(id="keys"):
            yield Hints()

    def notice(self, sentence: str = "") -> None:
        """A sentence above the prompt that stays until there is another, or none."""
        line = self.query_one("#notice", Static)
        line.update(sentence)
        line.set_class(bool(sentence), "-shown")

    def show_title(self, title: str, model: str) -> None:
        """What the conversation is called, and who answers."""
        self.query_one("#title", Static).update(title)
        self.query_one("#model", Static).update(shorten(model, _NAME_LENGTH))

    @property
    def figures_open(self) -> bool:
        """Whether the panel of figures is."""
        return self.has_class(_OPEN)

    @figures_open.setter
    def figures_open(self, is_open: bool) -> None:
        self.set_class(is_open, _OPEN)

    def show_figures(self, figures: Figures | None) -> None:
        """Bring the panel up to date; where it is closed, that waits."""
        if self.figures_open:
            self.query_one(Panel).show(figures)
