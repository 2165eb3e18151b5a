"""A conversation as a tree: asking again or asking otherwise makes a branch, and loses nothing."""

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from localspec.tui.figures import Figures

__all__ = ["Message", "Origins", "Role", "Tree"]

Role = Literal["user", "assistant"]
Origins: TypeAlias = tuple[tuple[int, str | None], ...]
"""Who guessed a text: runs of so many characters, each with its drafter, None for the target."""


@dataclass(frozen=True)
class Message:
    """Something said. What comes after `created` is known of answers only.

    `finish_reason` is None where the program ended before the answer did.
    """

    id: int
    parent: int | None
    role: Role
    content: str
    created: float
    finish_reason: str | None = None
    model: str | None = None
    seed: int | None = None
    figures: Figures | None = None
    origins: Origins = ()


@dataclass
class Tree:
    """All messages of a conversation by id, and the last one of the branch that is shown."""

    messages: dict[int, Message] = field(default_factory=dict)
    head: int | None = None

    def __post_init__(self) -> None:
        self._following: dict[int | None, list[int]] = {}
        in_order = sorted(self.messages.values(), key=lambda message: message.id)
        for message in in_order:
            self._following.setdefault(message.parent, []).append(message.id)
        self._newest = {message.id: message.id for message in in_order}
        for message in reversed(in_order):  # what follows a message came after it
            if message.parent is not None:
                newest = max(self._newest[message.parent], self._newest[message.id])
                self._newest[message.parent] = newest

    def add(self, message: Message) -> None:
        """Put `message` in, the last one in its place."""
        self.messages[message.id] = message
        self._following.setdefault(message.parent, []).append(message.id)
        for one in self.path(message.id):
            self._newest[one.id] = message.id

    def change(self, id: int, **changes: object) -> Message:
        """The message with changes."""
        self.messages[id] = replace(self.messages[id], **changes)  # type: ignore[arg-type]
        return self.messages[id]

    def path(self, head: int | None = None) -> list[Message]:
        """The branch from its first message to `head` (by default, to the head)."""
        branch: list[Message] = []
        at = self.head if head is None else head
        while at is not None:
            branch.append(self.messages[at])
            at = self.messages[at].parent
        return branch[::-1]

    def siblings(self, id: int) -> list[Message]:
        """Messages said in the same place, oldest first, the one itself among them."""
        return [self.messages[other] for other in self._following[self.messages[id].parent]]

    def leaf(self, id: int) -> int:
        """Where the branch through `id` that was last worked on ends."""
        return self._newest[id]
