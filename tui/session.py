"""A person, a model and what is kept of what they say. Everything but the screen.

`advance` moves an answer on; the screen calls it at its own rhythm and draws what has changed.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from localspec.errors import LocalspecError
from localspec.tui.backend import Backend, Reply, Said, Words
from localspec.tui.figures import Meter
from localspec.tui.store import Message, Store, StoreError, Tree
from localspec.tui.store.tree import Origins
from localspec.tui.text import title
from localspec.tui.thinking import split_thoughts

__all__ = ["Running", "Session", "merge"]

_KEEP_SECONDS = 1.0


@dataclass
class Running:
    """An answer on its way."""

    message: Message
    reply: Reply
    meter: Meter = field(default_factory=Meter)
    kept_at: float = 0.0


class Session:
    """One conversation at a time, its model, its settings."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self.store = store
        self.backend: Backend | None = None
        self.choices: dict[str, float | int | str] = {}
        self.conversation: int | None = None
        self.tree = Tree()
        self.system = ""
        self.running: Running | None = None
        self.awaiting: int | None = None
        """A message to be answered once there is a model."""
        self._clock = clock
        self._unkept: dict[int, Message] = {}

    # Conversations --------------------------------------------------------------------------

    def new(self) -> None:
        """Begin a conversation; it is kept from its first message on."""
        self.leave()
        self.awaiting = None
        self.conversation, self.tree, self.system = None, Tree(), ""

    def open(self, conversation: int) -> None:
        """Go on with a conversation. Raises StoreError."""
        self.leave()
        tree, system = self.store.tree(conversation), self.store.system(conversation)
        self.awaiting = None
        self.conversation, self.tree, self.system = conversation, tree, system

    def leave(self) -> None:
        """End what is running, and keep it; if that cannot be, later."""
        if self.running:
            self.stop()
            with contextlib.suppress(StoreError):
                self._finish("cancelled")

    def instruct(self, system: str) -> None:
        """Instructions for the model, before all messages."""
        if self.conversation is not None:
            self.store.instruct(self.conversation, system)
        self.system = system

    # Turns ----------------------------------------------------------------------------------

    def send(self, text: str, parent: int | None = None, *, fork: bool = False) -> Message:
        """Say something after the head, or with `fork` after `parent`, and have it answered.

        Raises StoreError where it cannot be kept: then nothing has happened.
        """
        after = parent if fork else self.tree.head
        with self.store.transaction():
            conversation = self.conversation or self.store.begin(title(text), self.system)
            message = self.store.say(conversation, after, "user", text)
        self.conversation = conversation
        self._show(message)
        with contextlib.suppress(StoreError):  # it was said, and awaits its answer
            self.answer(message.id)
        return message

    def edit(self, id: int, text: str) -> Message:
        """Say something else in the place of a message: a branch of its own."""
        return self.send(text, self.tree.messages[id].parent, fork=True)

    def again(self, at: int | None = None) -> bool:
        """Have the last question before `at` (the head) answered once more, beside others."""
        path = self.tree.path(at)
        if path and path[-1].role == "assistant":
            path.pop()
        if not path or self.running:
            return False
        self.answer(path[-1].id)
        return True

    def answer(self, question: int) -> None:
        """Have a message answered, now or when there is a model."""
        self.tree.head = self.awaiting = question
        if self.backend is None:
            return
        assert self.conversation is not None
        words = self._words(question)
        message = self.store.say(
            self.conversation, question, "assistant", "", model=self.backend.name
        )
        self._show(message)
        self.awaiting = None
        self.running = Running(message, self.backend.ask(words, self.choices))

    def stop(self) -> None:
        """Stop the answer, and keep what has come."""
        if self.running:
            self.running.reply.cancel()

    def advance(self) -> None:
        """Take what has come of the answer; when it has ended, `running` is None afterwards.

        Raises LocalspecError where the answer failed or cannot be kept; go on calling then.
        """
        running = self.running
        if not running:
            return
        failure: LocalspecError | None = None
        said: list[Said] = []
        try:
            said = running.reply.take()
        except LocalspecError as error:
            failure = error
        except Exception as error:  # whatever it was, the chat goes on
            failure = LocalspecError(f"The model has failed ({type(error).__name__}: {error}).")
        self._grow(running, said)
        if failure or running.reply.ended:
            self._finish("error" if failure else running.reply.finish_reason or "stop")
        elif self._clock() - running.kept_at >= _KEEP_SECONDS:
            running.kept_at = self._clock()
            self.keep(running.message)
        if failure:
            raise failure

    def _grow(self, running: Running, said: list[Said]) -> None:
        figures = running.reply.figures
        running.meter.observe(figures)
        running.message = self.tree.change(
            running.message.id,
            content=running.message.content + "".join(text for text, _ in said),
            origins=merge(running.message.origins, said),
            figures=figures,
            seed=running.reply.seed,
        )

    def _finish(self, reason: str) -> None:
        running = self.running
        assert running
        self.running = None
        with contextlib.suppress(Exception):  # it has been told, or nobody wants to know any more
            self._grow(running, running.reply.take())
        self.keep(self.tree.change(running.message.id, finish_reason=reason))

    def keep(self, *messages: Message) -> None:
        """Keep answers, and what could not be kept before. Raises StoreError."""
        self._unkept |= {message.id: message for message in messages}
        for id, message in list(self._unkept.items()):
            self.store.keep(message)
            del self._unkept[id]

    @property
    def has_unkept(self) -> bool:
        """Whether something still has to be kept."""
        return bool(self._unkept)

    def _show(self, message: Message) -> None:
        self.tree.add(message)
        self.tree.head = message.id

    # Branches -------------------------------------------------------------------------------

    def switch(self, id: int, step: int) -> bool:
        """Show the branch `step` beside the one through a message; whether there is one."""
        siblings = [message.id for message in self.tree.siblings(id)]
        at = siblings.index(id) + step
        if self.running or self.conversation is None or not 0 <= at < len(siblings):
            return False
        head = self.tree.leaf(siblings[at])
        self.store.show(self.conversation, head)
        self.tree.head = head
        return True

    # For the model --------------------------------------------------------------------------

    def _words(self, question: int) -> list[Words]:
        """The conversation up to a question, without what got no answer.

        Thoughts go beside their answers: what a model wants to see again, its template knows.
        """
        words: list[Words] = []
        for message in self.tree.path(question):
            said: dict[str, str] = {"role": message.role, "content": message.content}
            if message.role == "assistant":
                thoughts, said["content"], _ = split_thoughts(message.content)
                if not said["content"] and words:
                    words.pop()
                    continue
                if thoughts:
                    said["reasoning_content"] = thoughts
            words.append(said)
        if self.system:
            words.insert(0, {"role": "system", "content": self.system})
        return words


def merge(origins: Origins, said: list[Said]) -> Origins:
    """The runs of `origins`, and those of what was said after them."""
    runs = list(origins)
    for text, drafter in said:
        if runs and runs[-1][1] == drafter:
            runs[-1] = (runs[-1][0] + len(text), drafter)
        elif text:
            runs.append((len(text), drafter))
    return tuple(runs)
