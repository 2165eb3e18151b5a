"""An engine over fakes and what must hold after each of its steps; what hypothesis draws from."""

import operator
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Many

from fakes import (
    END,
    ENDLESS,
    PROMPT,
    VOCABULARY,
    Alternating,
    FakeModel,
    FixedPolicy,
    OracleDrafter,
    RandomDrafter,
    WildCosts,
    WildPolicy,
    engine,
    plain,
    submit,
)
from hypothesis import strategies as st

from localspec.decoding import reading
from localspec.decoding.sampling import Sampling
from localspec.decoding.sequence import Request, Sequence
from localspec.drafters.base import Drafter
from localspec.drafters.lookup import LookupDrafter
from localspec.drafters.model import ModelDrafter
from localspec.governor.costs import Costs
from localspec.governor.policy import Policy

OPENINGS = ([7], PROMPT, [*PROMPT[:5], 8], [2] * 20)
prompts = st.builds(
    operator.add, st.sampled_from(OPENINGS), st.lists(st.integers(0, VOCABULARY - 1), max_size=12)
)
samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([0, 0.7, 1, 1.5]),
    top_k=st.sampled_from([0, 1, 3, 100]),
    top_p=st.sampled_from([0.5, 0.95, 1]),
    min_p=st.sampled_from([0, 0.05, 0.5]),
    repeat_penalty=st.sampled_from([0.8, 1, 1.3]),
    frequency_penalty=st.sampled_from([-0.5, 0, 1]),
    presence_penalty=st.sampled_from([-0.5, 0, 1]),
    logit_bias=st.sampled_from([{}, {END: -100}, {5: 4, 6: -100}]),
    seed=st.integers(0, 2**64 - 1),
)
requests = st.builds(
    Request,
    prompt=prompts,
    sampling=samplings,
    max_tokens=st.none() | st.integers(1, 40),
    stops=st.sampled_from([(), (), ("bc", "g"), ("hij",)]),
    speculation=st.just("auto") | st.integers(0, 16),
    constraint=st.sampled_from([None, None, Alternating]),
)
policies = st.builds(
    FixedPolicy, st.integers(0, 16), st.sampled_from([0, 0.4, 0.7, 1])
) | st.builds(WildPolicy, st.integers(0, 99))
DRAFTERS: dict[str, Callable[[FakeModel], list[Drafter | FakeModel]]] = {
    "nobody": lambda target: [],
    "perfect": lambda target: [OracleDrafter(target)],
    "useless": lambda target: [OracleDrafter(target, lie=0)],
    "lying from the third": lambda target: [OracleDrafter(target, lie=2)],
    "random": lambda target: [RandomDrafter()],
    "lookup": lambda target: [LookupDrafter()],
    "twin": lambda target: [FakeModel(target.seed, length=target.length)],
    "stranger": lambda target: [FakeModel(1, length=target.length)],
    "short": lambda target: [FakeModel(target.seed, length=target.length // 2)],
    "stranger and perfect": lambda target: [
        FakeModel(1, length=target.length),
        OracleDrafter(target),
    ],
    "several": lambda target: [
        FakeModel(1, length=target.length),
        OracleDrafter(target, lie=1),
        LookupDrafter(),
        RandomDrafter(),
    ],
}
"""Who guesses, for a target; a model stands for a ModelDrafter with it."""


class World:
    """An engine over fakes, and what must hold after each of its steps.

    `prefill` is how many rows of prompt fit a batch beside the rows with logits. Where a `gpu` does
    the work, drafters are asked while it does so, too.
    """

    def __init__(
        self,
        sequences: int = 1,
        drafters: str = "nobody",
        policy: Policy | None = None,
        length: int = 256,
        outputs: int = 80,
        prefill: int = 100,
        can_truncate: bool = True,
        own_cells: bool = False,
        gpu: bool = False,
        even: int | None = None,
        costs: Costs | None = None,
        bulks: Many[int] = (),
    ) -> None:
        outputs = max(outputs, sequences)
        sizes = {"sequences": sequences, "batch": outputs + prefill, "outputs": outputs}
        self._settling = sizes["settling"] = 2 if gpu else 1
        self.target = FakeModel(
            length=length,
            can_truncate=can_truncate,
            own_cells=own_cells,
            even=even,
            bulks=bulks,
            **sizes,
        )
        self.steps = 0
        self.judged = set[Sequence]()
        self.drafts: list[FakeModel] = []
        self.sequences: list[Sequence] = []
        self.expected: dict[Sequence, tuple[list[int], str]] = {}
        found = [self._drafter(made) for made in DRAFTERS[drafters](self.target)]
        self.engine = engine(self.target, found, policy, costs)

    def _drafter(self, made: Drafter | FakeModel) -> Drafter:
        if not isinstance(made, FakeModel):
            return made
        n = self.target.sequences
        sizes = {"sequences": n, "batch": n + 3, "outputs": n, "settling": self._settling}
        draft = FakeModel(made.seed, length=made.length, **sizes)
        self.drafts.append(draft)
        return ModelDrafter(draft)

    def submit(self, request: Request) -> Sequence:
        sequence = submit(self.engine, request)
        self.sequences.append(sequence)
        self.expected[sequence] = plain(self.target, request)
        return sequence

    def ask(self, prompt: list[int], n: int | None = 10) -> Sequence:
        """Have `n` tokens said after a prompt, plainly."""
        return self.submit(Request(prompt, ENDLESS, n, speculation=0))

    def forget(self) -> None:
        self.engine.forget()
        self.sequences = []
        self.check()

    def finish(self, sequence: Sequence) -> Sequence:
        while not sequence.finish_reason:
            self.step()
        return sequence

    def step(self) -> list[Sequence]:
        self.steps += 1
        assert self.steps < 3000, "the engine does not come to an end"
        waiting = [s for s in self.sequences if not s.finish_reason]
        before = [(s, s.slot >= 0 and s.backlog == 1, s.backlog, s.room) for s in waiting]
        decodes, reads = len(self.target.decodes), self.target.reads
        told = self.engine.step()
        assert len(told) == len(set(told))
        assert len(self.target.decodes) - self.target.reads <= decodes - reads + 1
        for s, decoding, backlog, room in before:
            if s.finish_reason:
                assert s in told
                continue
            assert not s.cancelled
            assert not decoding or s.room < room, "nobody who decodes stands still"
            for part in self.target.decodes[decodes:]:
                rows = sum(len(r.tokens) - r.surplus for r in part if r.slot == s.slot)
                assert rows < backlog + room, "nobody guesses beyond the end"
        assert self.engine.busy == any(not s.finish_reason for s in self.sequences)
        self.check()
        return told

    def run_as_they_come(self, joining: Iterable[tuple[Request, int]]) -> None:
        """Submit each request, take so many steps before the next, and run to the end."""
        for request, steps in joining:
            self.submit(request)
            for _ in range(steps):
                self.step()
        self.run()

    def run(self) -> None:
        while self.engine.busy:
            self.step()

    def check(self) -> None:
        """Caches hold committed tokens only, and answers are right as far as they have come."""
        for slot, cache in enumerate(self.target.cache):
            seated = [s for s in self.sequences if s.slot == slot]
            owner = max(seated, key=lambda s: s.began, default=None)
            assert cache == (owner.tokens[: owner.cached] if owner else [])
            for draft in self.drafts:
                assert draft.cache[slot] == cache[: len(draft.cache[slot])]
        for s in self.sequences:
            if s.answer and s not in self.judged:
                self.judge(s)
            tokens, reason = self.expected[s]
            assert s.answer == tokens[: len(s.answer)]
            if s.finish_reason in ("stop", "length"):
                assert (s.answer, s.finish_reason) == (tokens, reason)
            elif s.finish_reason is None and s.answer:
                assert s.backlog == 1

    def judge(self, sequence: Sequence) -> None:
        """Its prompt was just read: as if it were alone, but for an earlier answer with its prompt
        that it goes on with, which stays as it was."""
        self.judged.add(sequence)
        prompt = sequence.request.prompt
        read_so = self.target.read_so[sequence.slot][: len(prompt)]
        earlier = [s for s in self.sequences if s.finish_reason and s is not sequence]
        wholes = [s.tokens[: s.cached] for s in earlier if s.cached > len(s.request.prompt)]
        joints = {0, *(len(whole) for whole in wholes if prompt[: len(whole)] == whole)}
        assert any(read_so == self.gone_on(sequence, read_so, joint) for joint in joints)
        if len(joints) > 1:
            self.expected[sequence] = plain(self.target, sequence.request, read_so)

    def gone_on(self, sequence: Sequence, read_so: list[int], joint: int) -> list[int]:
        """How a prompt is to be read that goes on at a joint, where the rest was `read_so`."""
        end, least = sequence.bulk
        new = end - joint
        again = self.target.can_truncate and new >= reading._FEW
        start = joint if new >= least else end - least if again else end
        kept = read_so[: min(start, joint)]
        bulk = [least] * (end - start)
        decoded = [0] * (len(read_so) - len(bulk) - len(kept))
        return [*kept, *bulk, *decoded]


def shared(cache: list[int], prompt: list[int]) -> int:
    """Tokens of a prompt, short of its last, that a cache begins with."""
    pairs = zip(cache, prompt[:-1], strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(cache), len(prompt) - 1))


def rows(target: FakeModel, since: int = 0) -> int:
    """Rows the model evaluated from its `since`-th decode on."""
    return sum(len(run.tokens) for runs in target.decodes[since:] for run in runs)


worlds = st.builds(
    World,
    sequences=st.integers(1, 4),
    drafters=st.sampled_from(sorted(DRAFTERS)),
    policy=policies,
    length=st.integers(34, 80),
    outputs=st.integers(1, 30),
    prefill=st.integers(1, 40),
    own_cells=st.booleans(),
    gpu=st.booleans(),
    costs=st.none() | st.builds(WildCosts, st.integers(0, 99)),
    bulks=st.sampled_from([(), (), (2,), (5,), (20,), (4, 24)]),
)
