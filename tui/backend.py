"""Who answers, as the chat sees it: a model loaded here, a server, a script in tests.

The chat asks an answer on its way what has come, ten times a second; nobody calls the chat. So an
answer costs the thread that decodes nothing, and the screen is drawn as often as a person can see.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from localspec.governor.doubt import Doubt
from localspec.tui.figures import Figures

__all__ = ["Backend", "Choice", "Choices", "Reply", "Said", "Source", "Words"]

Words: TypeAlias = Mapping[str, str]
"""A message for the model: its `role` and `content`, of an answer perhaps `reasoning_content`."""
Choices: TypeAlias = Mapping[str, float | int | str]
"""Settings that differ from the defaults, by the names of `knobs.KNOBS`."""


class Said(NamedTuple):
    """Text of an answer, and who guessed it (None: the target found it alone)."""

    text: str
    drafter: str | None = None


class Reply(Protocol):
    """An answer on its way. Everything returns at once."""

    @property
    def ended(self) -> bool:
        """Whether all has been taken."""

    @property
    def finish_reason(self) -> str | None:
        """Why it ended: stop, length, cancelled or error; None before."""

    @property
    def seed(self) -> int | None:
        """By which the answer can be repeated, as soon as it is known."""

    @property
    def figures(self) -> Figures:
        """As of now."""

    @property
    def doubt(self) -> Doubt | None:
        """What speaks against asking the draft now; None where there is none to ask."""

    def take(self) -> list[Said]:
        """What has come since the last call. Raises LocalspecError once where it failed."""

    def cancel(self) -> None:
        """Stop; what was said by then still comes."""


class Backend(Protocol):
    """Something that answers conversations."""

    @property
    def name(self) -> str:
        """The model."""

    @property
    def detail(self) -> str:
        """What else a person wants to know of it, in a few words; may be empty."""

    @property
    def notes(self) -> Sequence[str]:
        """Sentences worth telling."""

    def ask(self, conversation: Sequence[Words], choices: Choices) -> Reply:
        """Begin to answer. What is wrong with the question is heard from `Reply.take`."""

    def close(self) -> None:
        """Give back what it holds; may take a moment."""


class Choice(NamedTuple):
    """Something to choose: its name, why one might, and what there is to say of it at length.

    `label` is shown in place of a name that is long.
    """

    name: str
    meaning: str
    detail: str = ""
    label: str = ""


class Source(Protocol):
    """Where models come from: this computer, or a server."""

    @property
    def default(self) -> str:
        """The model to open where none is named."""

    @property
    def promise(self) -> str:
        """Where what is said goes, as a sentence."""

    def check(self, model: str, draft: str) -> None:
        """Raises LocalspecError where that names no model; takes a moment. Any thread may call."""

    def open(self, model: str, draft: str) -> Backend:
        """A model that answers; takes a while. Raises LocalspecError. Any thread may call."""

    def models(self) -> Sequence[Choice]:
        """What can be opened. Any thread may call."""

    def drafts(self, model: str) -> Sequence[Choice]:
        """What can guess for a model, and what not; takes a moment. Any thread may call."""

    def explain(self, model: str) -> str:
        """What there is to say of a model; takes a moment. Any thread may call."""
