"""The whole audit: the pair as it is used here, then the target with what was said before alone."""

import threading
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, field

from localspec.audit import chances, texts, widths
from localspec.audit.chances import Chance
from localspec.audit.texts import Text
from localspec.audit.widths import Widths
from localspec.bench import prompts
from localspec.bench.contest import Question
from localspec.bench.ours import questions
from localspec.errors import LocalspecError
from localspec.llama.rows import Evaluator
from localspec.runtime import LLM

__all__ = ["Audit", "audit"]

_TASKS = ("chat", "code", "prose")
_LOGITS, _FREQUENCIES, _TEXTS = 0.1, 0.4, 0.7  # shares of the work that are done at their end

Progress = Callable[[float, str], None]


@dataclass
class Audit:
    """What was found. Widths are None where guesses cannot be taken back, so that none are made."""

    model: str = ""
    draft: str | None = None
    widths: Widths | None = None
    texts: list[Text] = field(default_factory=list)
    chances: list[Chance] = field(default_factory=list)

    @property
    def forks(self) -> list[Text]:
        """Texts that differ."""
        return [text for text in self.texts if text.fork is not None]

    @property
    def strayed(self) -> list[Chance]:
        """Frequencies that chance does not explain."""
        return [c for c in self.chances if c.p < chances.FALSE_ALARMS / len(self.chances)]

    @property
    def one_class(self) -> bool:
        """Whether logits are equal at all widths."""
        return self.widths is None or len(self.widths.classes) == 1

    @property
    def exact(self) -> bool:
        """Whether nothing differs."""
        return self.one_class and not self.forks and not self.strayed


def audit(
    load: Callable[[str], LLM],
    draft: str,
    progress: Progress,
    tokens: int = 40,
    draws: int = 200,
    tasks: Many[str] = _TASKS,
) -> Audit:
    """Audit a target with its draft, then with guesses from text already seen.

    `load` loads the target with the draft it is given. Texts have `tokens` tokens, and in each
    context `draws` are drawn. Raises what `load` raises.
    """
    found = Audit()
    progress(0.0, "loading")
    with load(draft) as llm:
        found.model, found.draft = llm.target.name, llm.draft.name if llm.draft else None
        asked, _ = questions(llm, prompts.choose(prompts.own(), tasks, 1), tokens)
        found.widths = _widths(llm, asked, progress)
        found.chances += _chances(llm, asked, draws, progress)
        end = _TEXTS if llm.draft else 1.0
        found.texts += _texts(llm, asked, tokens, _part(progress, _FREQUENCIES, end))
    if found.draft:
        with load("none") as llm:
            found.texts += _texts(llm, asked, tokens, _part(progress, _TEXTS, 1.0))
    return found


def _widths(llm: LLM, asked: Many[Question], progress: Progress) -> Widths | None:
    text = [token for question in asked for token in question.tokens]
    at, left = _part(progress, 0.0, _LOGITS), threading.Event()

    def told(share: float, what: str) -> None:
        if left.is_set():
            raise LocalspecError("Nobody waits for this any more.")
        at(share, what)

    def look(target: Evaluator) -> Widths | None:
        return widths.compare(target, text, told) if target.can_truncate else None

    try:
        return llm.examine(look)
    except KeyboardInterrupt:
        left.set()  # the engine's thread would go on, and who closes the model waits for it
        raise


def _chances(llm: LLM, asked: Many[Question], draws: int, progress: Progress) -> Iterator[Chance]:
    vocabulary, at = llm.target.vocabulary, _part(progress, _LOGITS, _FREQUENCIES)
    ends = {vocabulary.text_of(token).encode() for token in vocabulary.end_tokens}
    for i, question in enumerate(asked):

        def told(share: float, i: int = i) -> None:
            at((i + share) / len(asked), "counting tokens")

        yield chances.test(llm.generate, question, draws, ends, told)


def _texts(llm: LLM, asked: Many[Question], tokens: int, progress: Progress) -> Iterator[Text]:
    who = llm.draft.name if llm.draft else "text already seen"
    total = len(asked) * len(texts.LENGTHS) * len(texts.TEMPERATURES)
    for i, question in enumerate(asked):
        for j, text in enumerate(texts.compare(llm.generate, question, who, tokens)):
            progress((i * total / len(asked) + j) / total, f"comparing texts guessed by {who}")
            yield text


def _part(progress: Progress, begin: float, end: float) -> Progress:
    """Progress of a part of the work."""
    return lambda share, what: progress(begin + (end - begin) * share, what)
