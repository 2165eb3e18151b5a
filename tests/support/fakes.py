"""A model, a vocabulary and drafters of a few lines, for tests of pure logic."""

import functools
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Many

import numpy as np
import numpy.typing as npt

from localspec.decoding.draft import Draft
from localspec.decoding.reading import Bulk, bulk_of
from localspec.decoding.sampling import Sampler, Sampling
from localspec.decoding.sequence import Piece, Request, Sequence
from localspec.drafters.base import Ask, Drafter
from localspec.engine.engine import Engine
from localspec.engine.worker import Worker
from localspec.errors import DecodeError
from localspec.governor.costs import Costs
from localspec.governor.policy import Policy, Step, Wish
from localspec.llama.rows import Logits, Run, nothing

VOCABULARY = 24
END = 0


class FakeVocabulary:
    """Token n is the letter with that number; token 0 ends an answer."""

    size = VOCABULARY
    end_tokens = frozenset({END})

    def piece(self, token: int) -> bytes:
        return bytes([ord("a") + token])

    def text_of(self, token: int) -> str:
        return self.piece(token).decode()


class FakeModel:
    """Logits are a fixed function of the last three tokens, and the cache is a list to check.

    Guesses in passes of more than `even` rows get others; so do texts of which other tokens were
    read in bulk, or among other `bulks`.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        length: int = 256,
        sequences: int = 1,
        batch: int = 256,
        outputs: int = 80,
        can_truncate: bool = True,
        own_cells: bool = False,
        settling: int = 1,
        even: int | None = None,
        bulks: Many[int] = (),
    ) -> None:
        self.even, self.bulks = even or batch, [size for size in bulks if 2 * size <= batch]
        self.seed, self.length, self.sequences = seed, length, sequences
        self.own_cells = own_cells
        self.settling, self.asynchronous = settling, settling > 1  # as a GPU
        self.batch, self.outputs, self.can_truncate = batch, outputs, can_truncate
        self.cache: list[list[int]] = [[] for _ in range(sequences)]
        self.read_so: list[list[int]] = [[] for _ in range(sequences)]  # in which bulk, by token
        self.decodes: list[list[Run]] = []
        self.reads = 0  # of them, those in bulk
        self.fails_at = -1

    def decode(self, runs: Iterable[Run], meanwhile: Callable[[], None] = nothing) -> Logits:
        runs = list(runs)
        self.decodes.append(runs)
        if len(self.decodes) == self.fails_at:
            raise DecodeError("the fake model was told to fail.")
        assert 0 < sum(len(run.tokens) for run in runs) <= self.batch
        assert sum(run.outputs for run in runs) <= self.outputs
        rows = []
        for slot, tokens, position, outputs, surplus in runs:
            cache = self.cache[slot]
            assert position == len(cache), "rows must follow what the cache holds"
            cache.extend(tokens)
            self.read_so[slot] += [0] * len(tokens)
            assert len(cache) <= self.length
            wanted = len(cache) - surplus
            ends = range(wanted - outputs + 1, wanted + 1)
            found = [self.logits(cache[:n], sum(self.read_so[slot][:n])) for n in ends]
            rows += found if len(tokens) <= self.even or outputs == 1 else [-row for row in found]
        if self.asynchronous:
            meanwhile()
        return np.array(rows, dtype=np.float32).reshape(-1, VOCABULARY)

    def read(self, run: Run) -> None:
        assert not run.outputs
        self.decode([run])
        self.reads += 1
        rows = len(run.tokens)
        self.read_so[run.slot][-rows:] = [max(n for n in self.bulks if n <= rows)] * rows

    def logits(self, text: Many[int], bulk: int = 0) -> Logits:
        told = (self.seed, bulk) if bulk else (self.seed,)
        return _row((*told, *(t + 1 for t in text[-3:]))).copy()

    def truncate(self, slot: int, length: int) -> None:
        if length and not self.can_truncate and length != len(self.cache[slot]):
            raise DecodeError("this cache cannot be cut back.")
        del self.cache[slot][length:]
        del self.read_so[slot][length:]

    def copy(self, source: int, slot: int, length: int) -> None:
        self.cache[slot] = self.cache[source][:length]
        self.read_so[slot] = self.read_so[source][:length]


@functools.cache
def _row(state: tuple[int, ...]) -> Logits:
    row = np.random.default_rng(state).normal(0, 2, VOCABULARY).astype(np.float32)
    row[END] -= 3
    return row


class OracleDrafter:
    """Knows what the target will say, and lies from the `lie`-th guess on (never, if None)."""

    name = "oracle"

    def __init__(self, target: FakeModel, lie: int | None = None) -> None:
        self._target, self._lie = target, lie

    def propose(self, asks: Many[Ask]) -> list[Draft]:
        return [self._guess(ask) for ask in asks]

    def _guess(self, ask: Ask) -> Draft:
        draft, sequence = Draft(self.name), ask.sequence
        while len(draft) < ask.length and ask.more(draft):
            text = sequence.tokens + draft.tokens
            token = sequence.sampler.pick(self._target.logits(text), len(text))
            if self._lie is not None and len(draft) >= self._lie:
                token = (token + 1) % VOCABULARY
            draft.append(token, 0.9)
            sequence.sampler.push(token)
        for token in reversed(draft.tokens):
            sequence.sampler.pop(token)
        return draft

    def peek(self, sequence: Sequence) -> None: ...

    def backlog(self, sequence: Sequence) -> int:
        return 0

    def observe(self, sequence: Sequence) -> None:
        pass

    def truncate(self, slot: int, length: int) -> None:
        pass

    def copy(self, source: int, slot: int, length: int) -> None:
        pass

    def forget(self) -> None:
        pass


class RandomDrafter(OracleDrafter):
    """Guesses anything, in any number."""

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)

    def _guess(self, ask: Ask) -> Draft:
        draft = Draft(self.name)
        for _ in range(int(self._random.integers(0, ask.length + 1))):
            draft.append(int(self._random.integers(0, VOCABULARY)), 0.5)
        return draft


class FixedPolicy:
    """The first drafter guesses up to `length` tokens and stops where it becomes unsure.

    A guess of confidence below `cut` is not followed. A request that fixes its own length gets
    that many, sure or not.
    """

    def __init__(self, length: int = 3, cut: float = 0.4) -> None:
        self.length, self.cut = length, cut

    def looks(self, sequences: Many[Sequence]) -> bool:
        """Always."""
        return True

    def draft(self, wishes: Many[Wish], drafters: Many[Drafter]) -> list[Draft]:
        """Let the first drafter guess for all."""
        return drafters[0].propose([self._ask(wish) for wish in wishes])

    def _ask(self, wish: Wish) -> Ask:
        wanted = wish.sequence.request.speculation
        if wanted != "auto":
            return Ask(wish.sequence, min(wish.limit, wanted), lambda draft: True)
        return Ask(wish.sequence, min(wish.limit, self.length), self._is_sure)

    def _is_sure(self, draft: Draft) -> bool:
        return not draft or draft.confidences[-1] >= self.cut

    def meanwhile(self, sequences: Many[Sequence], drafters: Many[Drafter]) -> None:
        """A fixed policy does nothing in advance."""

    def observe(self, step: Step) -> None:
        """A fixed policy learns nothing."""


class WildPolicy:
    """Decides by dice who guesses and how much, and asks drafters whose guess it then drops; in a
    GPU's time too.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._left: dict[str, list[Wish]] = {}  # for whom a drafter was not asked
        self.steps: list[Step] = []

    def looks(self, sequences: Many[Sequence]) -> bool:
        return bool(self._random.random() < 0.9)

    def draft(self, wishes: Many[Wish], drafters: Many[Drafter]) -> list[Draft]:
        chosen = [Draft() for _ in wishes]
        for drafter in drafters:
            asked = [i for i in range(len(wishes)) if self._random.random() < 0.6]
            self._left[drafter.name] = [w for i, w in enumerate(wishes) if i not in asked]
            drafts = drafter.propose([self._ask(wishes[i]) for i in asked])
            for i, draft in zip(asked, drafts, strict=True):
                draft = draft.first(int(self._random.integers(len(draft) + 1)))
                chosen[i] = draft
        return chosen

    def _ask(self, wish: Wish) -> Ask:
        length = int(self._random.integers(wish.limit + 1))
        return Ask(wish.sequence, length, lambda draft: bool(self._random.random() < 0.8))

    def meanwhile(self, sequences: Many[Sequence], drafters: Many[Drafter]) -> None:
        for drafter in drafters:
            drafter.propose([self._ask(wish) for wish in self._left.get(drafter.name, [])])
            for sequence in sequences:
                if sequence.backlog > 1 and self._random.random() < 0.5:
                    drafter.propose([Ask(sequence, 3, lambda draft: True)])
                    drafter.truncate(sequence.slot, len(sequence))

    def observe(self, step: Step) -> None:
        self.steps.append(step)
        self._left = {}


class Fickle:
    """Has all drafters guess, and has the target look at the guesses of the last."""

    def looks(self, sequences: Many[Sequence]) -> bool:
        return True

    def draft(self, wishes: Many[Wish], drafters: Many[Drafter]) -> list[Draft]:
        asks = [Ask(wish.sequence, min(3, wish.limit), lambda draft: True) for wish in wishes]
        return [drafter.propose(asks) for drafter in drafters][-1]

    def meanwhile(self, sequences: Many[Sequence], drafters: Many[Drafter]) -> None: ...

    def observe(self, step: Step) -> None:
        pass


class Alternating:
    """A grammar: even and odd tokens take turns, and an answer may end anywhere."""

    def __init__(self) -> None:
        self._said: list[int] = []

    def push(self, token: int) -> None:
        self._said.append(token)

    def pop(self) -> None:
        self._said.pop()

    def allowed(self) -> npt.NDArray[np.bool_]:
        last = self._said[-1] % 2 if self._said else 0
        allowed: npt.NDArray[np.bool_] = np.arange(VOCABULARY) % 2 != last
        allowed[END] = True
        return allowed

    def forced(self) -> list[int]:
        return []


def plain(
    target: FakeModel, request: Request, read_so: Many[int] | None = None
) -> tuple[list[int], str]:
    """What the request alone must be answered with, and why the answer ends: one token at a time,
    without an engine, a cache or a draft, the prompt `read_so` (None: as its length says)."""
    if read_so is None:
        aloud = request.echo and request.logprobs is not None
        end, least = Bulk() if aloud else bulk_of(len(request.prompt), target.bulks)
        read_so = [least] * end
    bulk = sum(read_so)
    constraint = request.constraint() if request.constraint else None
    sampler = Sampler(request.sampling, request.prompt, VOCABULARY, constraint)
    tokens, answer, said = list(request.prompt), list[int](), ""
    while True:
        if any(stop in said for stop in request.stops):
            return answer, "stop"
        if len(answer) == request.max_tokens or len(tokens) == target.length:
            return answer, "length"
        token = sampler.pick(target.logits(tokens, bulk), len(tokens))
        if token == END:
            return answer, "stop"
        tokens.append(token)
        answer.append(token)
        sampler.push(token)
        said += FakeVocabulary().piece(token).decode()


class WildCosts(Costs):
    """Passes take what dice say: more rows may take less time."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(100)
        random = np.random.default_rng(seed)
        self.load([{n: float(random.uniform(1, 2)) for n in range(1, 101)}])


def engine(
    target: FakeModel,
    drafters: Many[Drafter] = (),
    policy: Policy | None = None,
    costs: Costs | None = None,
) -> Engine:
    return Engine(target, FakeVocabulary(), drafters, policy or FixedPolicy(4, 0), costs)


def submit(engine: Engine, request: Request) -> Sequence:
    sequence = engine.prepare(request)
    engine.submit(sequence)
    return sequence


def run(engine: Engine) -> None:
    steps = 0
    while engine.busy:
        engine.step()
        steps += 1
        assert steps < 5000, "the engine does not come to an end"


def working(engine: Engine) -> Worker:
    return Worker(lambda resources: engine)


def answer(engine: Engine, request: Request) -> list[int]:
    """Tokens of one request answered alone."""
    sequence = submit(engine, request)
    run(engine)
    return sequence.answer


def text(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


ENDLESS = Sampling(seed=1, logit_bias={END: -100})
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6]
