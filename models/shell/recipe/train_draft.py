"""Distils the shell draft on what the quantized target itself writes, on a GPU or on CPUs.

    python train_draft.py ROWS.npz TARGET.gguf START.gguf OUT.gguf --said SAID.pt --seconds 420

The target answers the prompts of ROWS.npz (from corpus.py) greedily and at two temperatures, and
reads answers as they stand there; its states are kept, and the draft learns to predict as it does
at every token that was said. OUT.gguf is Q5_0, its embedding Q4_0, rounded as it was trained. What
was said is kept in SAID.pt, and read where that exists.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rounding import Q4_0, rounded_weights
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from localspec.distill import export
from localspec.distill.decoder import Decoder
from localspec.distill.optimiser import Optimiser

SAID, ENDS = 0x8000, (0, 2)
TEMPERATURES = (0.0, 0.0, 0.8, 1.0)


class Plan(NamedTuple):
    """Of one kind of text: how many answers are written, and how much is read as it stands."""

    prompts: int
    length: int  # tokens of a prompt
    longest: int  # tokens of an answer
    rows: int  # of 1,024 tokens


PLANS = {
    "recipes": Plan(160_000, 64, 64, 15_000),
    "unknown": Plan(10_000, 64, 64, 680),
    "talk": Plan(6_000, 64, 64, 290),
    "sums": Plan(4_000, 64, 64, 97),
    "dstc8": Plan(20_000, 192, 64, 1_500),
    "pages": Plan(50_000, 64, 192, 3_300),
    "functions": Plan(30_000, 64, 192, 3_500),
    "gsm8k": Plan(20_000, 128, 128, 1_460),
    "gpteacher": Plan(24_000, 256, 256, 970),
    "tasks": Plan(60_000, 320, 192, 4_000),
    "plain": Plan(14_000, 128, 384, 3_000),
}
HELD = 96
"""Texts of each kind that are not learnt from."""
KEPT = 0.3
"""Share of the weights at the start in those at the end, so that what is not taught here is not
forgotten (Wortsman et al. 2022, arXiv 2109.01903)."""
RATE, EMBEDDING_RATE = 2e-3, 2e-3
WARM_STEPS, FALL_FROM = 60, 0.4
FEWER = 0.75
"""Rows are moved together where fewer than this share of them still write."""
START = time.monotonic()


def log(*what: object) -> None:
    """A line with the time since the start."""
    print(f"[{time.monotonic() - START:6.1f}]", *what, flush=True)


class Machine(NamedTuple):
    """What fits a device."""

    cached: int  # positions of the cache while writing: 15 kB each
    read: int  # tokens read in a step
    learnt: int  # of them, those learnt from


MACHINES = {"cuda": Machine(1_500_000, 65_536, 16_384), "cpu": Machine(100_000, 8_192, 2_048)}


class Said(NamedTuple):
    """What the target wrote: tokens [texts, length], and its state before each token it said,
    [said, width], with where that token stands in `tokens` laid out flat."""

    kind: str
    tokens: Tensor
    states: Tensor
    places: Tensor


def prompts(rows: np.ndarray, number: int, length: int, kind: str) -> np.ndarray:
    """`length` tokens before the beginnings of answers (of plain text: before any token); the last
    HELD are of the last eighth of the rows, which no other is from, so that they can be held out.
    """
    rng, seen = np.random.default_rng(8), len(rows) * 7 // 8
    if kind == "plain":
        begins = np.stack([np.arange(len(rows)), rng.integers(length, rows.shape[1], len(rows))], 1)
    else:
        said = (rows & SAID) > 0
        begins = np.argwhere(said[:, 1:] & ~said[:, :-1]) + (0, 1)
        begins = begins[begins[:, 1] >= length]
    learnt, held = begins[begins[:, 0] < seen], begins[begins[:, 0] >= seen]
    starts = np.concatenate([rng.choice(learnt, number - HELD), rng.choice(held, HELD)])
    return np.stack([rows[r, c - length : c] for r, c in starts]) & (SAID - 1)


@torch.no_grad()
def write(target: Decoder, kind: str, beginnings: Tensor, longest: int) -> Said:
    """Let the target go on from all beginnings, `longest` tokens at most."""
    number, length = beginnings.shape
    device, width = beginnings.device, target.shape.width
    draw = torch.Generator(device=device)
    draw.manual_seed(8)
    tokens = torch.cat([beginnings, beginnings.new_zeros(number, longest)], 1)
    states = torch.empty(number, longest, width, dtype=torch.bfloat16, device=device)
    live = torch.zeros(number, longest, dtype=torch.bool, device=device)
    cache = target.cache(number, length + longest, torch.bfloat16)
    rows = torch.arange(number, device=device)
    heat = torch.tensor(TEMPERATURES, device=device)[rows % len(TEMPERATURES), None]
    state = torch.empty(number, width, dtype=torch.bfloat16, device=device)
    for part in rows.split(1024):
        view = [(k[part[0] : part[-1] + 1], v[part[0] : part[-1] + 1]) for k, v in cache]
        state[part] = target.fill(tokens[part, :length], view)
    going = torch.ones(number, dtype=torch.bool, device=device)
    for i in range(longest):
        scores = target.logits(state).float()
        warm = (heat[:, 0] > 0).nonzero()[:, 0]
        noise = -torch.empty_like(scores[warm]).exponential_(generator=draw).log()
        scores[warm] += heat[warm] * noise
        said = scores.argmax(1)
        states[rows, i], live[rows, i], tokens[rows, length + i] = state, going, said
        going &= ~torch.isin(said, torch.tensor(ENDS, device=device))
        if i % 8 == 7 and going.float().mean() < FEWER:
            kept = going.nonzero()[:, 0]
            if not len(kept):
                break
            rows, said, heat, going = rows[kept], said[kept], heat[kept], going[kept]
            for layer, (keys, values) in enumerate(cache):
                cache[layer] = (keys[kept], values[kept])
        if i + 1 < longest:
            state = target.step(said, cache, length + i)
    whole = torch.zeros_like(tokens, dtype=torch.bool)
    whole[:, length:] = live
    places = whole.view(-1).nonzero()[:, 0]
    return Said(kind, tokens.to(torch.int16), states[live], places)


@torch.no_grad()
def read(target: Decoder, kind: str, rows: np.ndarray, device: str) -> Said:
    """What the target would have said, at every token that was said in `rows`."""
    tokens = torch.from_numpy((rows & (SAID - 1)).astype(np.int16)).to(device)
    said = torch.from_numpy((rows & SAID) > 0).to(device)
    said[:, 0] = False  # what came before it is not there
    states = []
    for part, wanted in zip(tokens.split(8), said.split(8), strict=True):
        states.append(target(part.long(), torch.bfloat16)[:, :-1][wanted[:, 1:]])
    return Said(f"{kind}, given", tokens, torch.cat(states), said.view(-1).nonzero()[:, 0])


def study(
    path: Path, target: Decoder, shares: tuple[float, float], machine: Machine, device: str
) -> list[Said]:
    """Each kind as the target writes it, and as it reads it: shares of what is planned."""
    everything = []
    with np.load(path) as rows:
        for kind, plan in PLANS.items():
            number = max(HELD + 64, int(plan.prompts * shares[0]))
            beginnings = prompts(rows[kind], number, plan.length, kind).astype(np.int64)
            parts = torch.from_numpy(beginnings).split(
                machine.cached // (plan.length + plan.longest)
            )
            written = [write(target, kind, part.to(device), plan.longest) for part in parts]
            given = max(16, int(plan.rows * shares[1]))
            some = rows[kind][-given:, : target.shape.context]  # the last of them are held out
            everything += [joined(written), read(target, kind, some, device)]
            log(kind, *(len(said.places) for said in everything[-2:]), "tokens, said and given")
    return everything


def joined(parts: list[Said]) -> Said:
    """As if all had been said at once."""
    sizes = torch.tensor([0, *(said.tokens.numel() for said in parts)]).cumsum(0)
    places = torch.cat([s.places + int(size) for s, size in zip(parts, sizes, strict=False)])
    tokens, states = torch.cat([s.tokens for s in parts]), torch.cat([s.states for s in parts])
    return Said(parts[0].kind, tokens, states, places)


def loss_on(ours: Tensor, embedding: Tensor, states: Tensor, head: Tensor, care: Tensor) -> Tensor:
    """KL divergence from the target, mixed by `care` with the total variation of both at a
    temperature of 0.6, which is how often guesses will be refused."""
    scores = F.linear(ours, embedding.bfloat16()).float()
    wanted = F.linear(states, head).float()
    divergence = F.kl_div(
        F.log_softmax(scores, -1), F.log_softmax(wanted, -1), log_target=True, reduction="batchmean"
    )
    refused = (F.softmax(scores / 0.6, -1) - F.softmax(wanted / 0.6, -1)).abs().sum(-1).mean() / 2
    return divergence * (1 - care) + 2 * care * refused


@torch.no_grad()
def agreement(student: Decoder, head: Tensor, said: Said, texts: int) -> tuple[float, float]:
    """On the last texts: how often both find the same token likeliest, and overlap at 0.8."""
    length, weights = said.tokens.shape[1], rounded_weights(student, embedding=Q4_0)
    table, same, overlap, places = weights[export.EMBEDDING].bfloat16(), 0.0, 0.0, 0
    for part in torch.arange(len(said.tokens) - texts, len(said.tokens)).split(16):
        first, end = int(part[0]) * length, int(part[-1] + 1) * length
        chosen = ((said.places >= first) & (said.places < end)).nonzero()[:, 0]
        tokens = said.tokens[part[0] : part[-1] + 1].long()
        ours = functional_call(student, weights, (tokens, torch.bfloat16))
        before = ours.reshape(-1, student.shape.width)[said.places[chosen] - first - 1]
        scores = F.linear(before, table).float()
        wanted = F.linear(said.states[chosen], head).float()
        same += float((scores.argmax(-1) == wanted.argmax(-1)).sum())
        overlap += float(
            torch.minimum(F.softmax(scores / 0.8, -1), F.softmax(wanted / 0.8, -1)).sum()
        )
        places += len(chosen)
    return same / places, overlap / places


def load(path: Path, device: str) -> Decoder:
    """A decoder from its file."""
    shape, weights = export.read(path)
    model = Decoder(shape).to(device)
    model.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})
    return model


def held(said: Said) -> int:
    """The same of what was said; of longer texts fewer."""
    return min(HELD, len(said.tokens) // 8)


class Lesson:
    """Draws what a step learns from: some texts of one kind, some of the tokens said in them."""

    def __init__(self, said: Said, held: int, machine: Machine) -> None:
        length = said.tokens.shape[1]
        self._said, self._texts, self._learnt = said, machine.read // length, machine.learnt
        self._usable = len(said.tokens) - held
        text_of = torch.div(said.places, length, rounding_mode="floor")
        self._first = torch.searchsorted(
            text_of, torch.arange(len(said.tokens) + 1, device=text_of.device)
        )
        self.tokens = int(self._first[self._usable])

    def draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens [texts, length], places [positions] in them, target's states before those."""
        said, length, device = self._said, self._said.tokens.shape[1], self._said.tokens.device
        start = int(torch.randint(max(1, self._usable - self._texts + 1), ()))
        end = min(start + self._texts, self._usable)
        low, high = self._first[start], self._first[end]
        picked = low + (torch.rand(self._learnt, device=device) * (high - low)).long()
        tokens = said.tokens[start:end].long()
        return tokens, said.places[picked] - start * length, said.states[picked]


def learn(student: Decoder, head: Tensor, lessons: list[Lesson], seconds: float) -> None:
    """Draw lessons until the time is up; more is drawn from where more was said."""
    device = head.device.type
    weights = torch.tensor([float(lesson.tokens) for lesson in lessons])
    loss_of = torch.compile(loss_on, dynamic=False, disable=device != "cuda")
    optimiser = Optimiser(student, RATE, EMBEDDING_RATE)
    began, step = time.monotonic(), 0
    while (done := (time.monotonic() - began) / seconds) < 1:
        rise, fall = min(1, (step + 1) / WARM_STEPS), min(1, (1 - done) / (1 - FALL_FROM))
        care = torch.tensor(min(0.8, max(0.0, 1.6 * (done - 0.4))), device=device)
        tokens, places, states = lessons[int(torch.multinomial(weights, 1))].draw()
        exact = rounded_weights(student, embedding=Q4_0)
        with torch.autocast(device, torch.bfloat16):
            ours = functional_call(student, exact, (tokens, torch.bfloat16)).reshape(
                -1, student.shape.width
            )
            loss = loss_of(ours[places - 1], exact[export.EMBEDDING], states, head, care)
        loss.backward()
        optimiser.step(rise * fall)
        step += 1
        if step % 100 == 0 or step < 3:
            log("step", step, "loss", round(loss.item(), 4))
    log("done after", step, "steps")


def main() -> None:
    """Write, learn, tell how well it went, save."""
    parser = argparse.ArgumentParser(description="Distil the shell draft.")
    for name in ("rows", "target", "start", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--said", type=Path, required=True, help="where what is said is kept")
    parser.add_argument("--seconds", type=float, default=420, help="of learning (default 420)")
    parser.add_argument("--written", type=float, default=0.3, help="share of the answers (0.3)")
    parser.add_argument("--given", type=float, default=0.3, help="share of the given text (0.3)")
    parser.add_argument("--device", choices=MACHINES, default="cuda")
    options = parser.parse_args()
    machine = MACHINES[options.device]
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(8)
    target = load(options.target, options.device).requires_grad_(False).bfloat16()
    student, head = load(options.start, options.device), target.token_embd.weight
    if not options.said.exists():
        everything = study(
            options.rows, target, (options.written, options.given), machine, options.device
        )
        torch.save([tuple(said) for said in everything], options.said)
    kept = torch.load(options.said, map_location=options.device)
    all_said = [Said(*fields) for fields in kept]

    def report() -> None:
        for said in all_said:
            with torch.autocast(options.device, torch.bfloat16):
                same, overlap = agreement(student, head, said, held(said))
            log(f"{said.kind:16} likeliest the same {same:.3f}, overlap at 0.8 {overlap:.3f}")

    report()
    start = {name: p.detach().clone() for name, p in student.named_parameters()}
    learn(student, head, [Lesson(said, held(said), machine) for said in all_said], options.seconds)
    with torch.no_grad():
        for name, p in student.named_parameters():
            p.lerp_(start[name], KEPT)
    report()
    final = {name: p.detach().float().cpu().numpy() for name, p in student.named_parameters()}
    name, shape = "localspec shell draft 6m", student.shape
    export.write(options.out, name, final, shape, options.start, "q5_0", embedding="q4_0")
    log("written", options.out)


if __name__ == "__main__":
    main()
