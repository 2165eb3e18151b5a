"""From a target to its draft, with a target of a few thousand weights that is made on the spot."""

import json
import string
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf_writing import finish

from localspec.bench.pairing import Measured
from localspec.cli import main
from localspec.distill import export, prompts
from localspec.distill.shape import DecoderShape
from localspec.errors import LocalspecError, ModelError, UsageError
from localspec.llama.context import Context
from localspec.llama.model import Model
from localspec.llama.rows import Run
from localspec.models import matches
from localspec.models.fingerprint import fingerprint

torch = pytest.importorskip("torch")

from localspec.distill import distill as room  # noqa: E402
from localspec.distill import training, writing  # noqa: E402
from localspec.distill.decoder import Decoder  # noqa: E402
from localspec.distill.measure import Acceptance, acceptance  # noqa: E402
from localspec.distill.record import Record  # noqa: E402
from localspec.distill.writing import write  # noqa: E402

TOKENS = ["<|begin|>", "<|end|>", *string.printable[:94], "Ġ", "Ċ"]
TOY = DecoderShape(
    len(TOKENS), width=64, layers=1, heads=2, kv_heads=1, head=32, hidden=64, context=128
)
TEMPLATE = "{% for m in messages %}{{ m.content }}\n{% endfor %}"
PROMPTS = [f"What is {a} plus {b}?" for a in range(6) for b in range(4)]


def silent(share: float, what: str) -> None:
    """Hears of progress."""


def vocabulary(path: Path, template: str | None = TEMPLATE) -> Path:
    """A file with a vocabulary and nothing else."""
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3] + [1] * (len(TOKENS) - 2))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_add_bos_token(False)
    if template:
        writer.add_chat_template(template)
    finish(writer)
    return path


def decoder(seed: int = 1) -> Decoder:
    torch.manual_seed(seed)
    model = Decoder(TOY)
    with torch.no_grad():  # loud enough that some tokens are likelier than others
        model.token_embd.weight.mul_(20)
    return model


def weights(model: Decoder) -> dict[str, np.ndarray]:
    return {name: p.detach().numpy() for name, p in model.named_parameters()}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    path = folder / "toy.gguf"
    words = vocabulary(folder / "vocabulary.gguf")
    export.write(path, "toy", weights(decoder()), TOY, words, "q8_0")
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCALSPEC_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Ticking:
    """In place of `time`: each look at the clock is a tick later, so a training has as many steps
    on a busy computer as on an idle one."""

    def __init__(self, tick: float) -> None:
        self._now, self._tick = 0.0, tick

    def monotonic(self) -> float:
        self._now += self._tick
        return self._now


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, tick in ((room, 0.01), (writing, 0.01), (training, 0.1)):
        monkeypatch.setattr(module, "time", Ticking(tick))
    monkeypatch.setitem(training._TOKENS, "cpu", 512)


@pytest.fixture
def pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timing says nothing at this size: every draft is measured to be twice as fast."""

    def measure(target: Path, drafts: list[Path], progress: object) -> object:
        return iter([Measured(drafts[0], held=0.7, length=3.0, speedup=2.0)])

    monkeypatch.setattr(room.pairing, "measure", measure)


@pytest.fixture
def untaught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learning takes seconds, and most tests need some draft, not a good one."""

    def train(texts: object, shape: DecoderShape, *_: object, **__: object) -> training.Result:
        return training.Result(shape, weights(Decoder(shape)), 0, 0.0)

    monkeypatch.setattr(training, "train", train)


def test_an_embedding_may_be_stored_otherwise_than_all_else(target: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.gguf"
    shape, read = export.read(target)
    export.write(path, "small", read, shape, target, "q8_0", embedding="q4_0")
    kinds = {t.name: t.tensor_type.name for t in gguf.GGUFReader(path).tensors}
    assert kinds.pop("token_embd.weight") == "Q4_0"
    assert set(kinds.values()) == {"Q8_0", "F32"}
    with Model(path) as loaded, Context(loaded, length=64) as context:
        assert np.isfinite(context.decode([Run(0, [5, 9, 60], 0, 1)])).all()


def test_llama_cpp_computes_what_torch_does(target: Path, tmp_path: Path) -> None:
    shape, read = export.read(target)
    assert shape == TOY
    model = Decoder(shape)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in read.items()})
    path = tmp_path / "copy.gguf"
    export.write(path, "copy", read, shape, target, "bf16")
    tokens = [5, 9, 60, 7, 33, 2, 2, 80]
    with Model(path) as loaded, Context(loaded, length=64) as context:
        theirs = context.decode([Run(0, tokens, 0, len(tokens))]).copy()
    with torch.no_grad():
        ours = model.logits(model(torch.tensor([tokens])))[0].numpy()
    assert np.abs(theirs - ours).max() < 0.02 * np.abs(ours).max()


def test_a_cache_changes_nothing(target: Path) -> None:
    model, tokens = decoder(), torch.tensor([[4, 8, 15, 16, 23, 42]])
    with torch.no_grad():
        whole = model(tokens)[0]
        cache = model.cache(1, 6, torch.float32)
        states = [model.fill(tokens[:, :3], cache)[0]]
        states += [model.step(tokens[:, i], cache, i)[0] for i in range(3, 6)]
    assert torch.allclose(torch.stack(states), whole[2:], atol=1e-4)


def test_the_target_is_heard_as_it_speaks(target: Path, tmp_path: Path) -> None:
    with Record(tmp_path / "r") as record:
        write(target, PROMPTS, record, tokens=400, seconds=600, progress=silent)
        texts = record.texts()
    assert sum(len(text.said) for text in texts) >= 400
    assert {text.temperature for text in texts} >= {0.0}
    for text in (t for t in texts if t.temperature == 0):
        assert np.array_equal(text.said, text.likely[:, 0])  # greedy: always the likeliest
        assert np.exp(text.log_probabilities.astype(np.float32)).sum(1).max() < 1.01


@pytest.mark.usefixtures("ticking")
def test_answers_that_time_cuts_short_are_kept(target: Path, tmp_path: Path) -> None:
    """A large target may not end a single one in all the time there is."""
    long = "".join(chr(ord("!") + n) for n in range(90))
    with Record(tmp_path / "r") as record:
        write(target, [long], record, tokens=10**6, seconds=0.2, progress=silent)
        texts = record.texts()
        assert len(texts) == 16
        for text in texts:
            assert len(text.said) == len(text.likely) == len(text.log_probabilities) > 1
        write(target, [long], record, tokens=10**6, seconds=0.0, progress=silent)  # enough is there
    with Record(tmp_path / "none") as record, pytest.raises(ModelError, match="--minutes"):
        write(target, [long], record, tokens=10**6, seconds=0.0, progress=silent)


@pytest.mark.usefixtures("pays", "ticking")
def test_a_target_makes_its_draft(target: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.gguf"
    stages: list[str] = []
    outcome = room.distill(
        target, draft, PROMPTS, seconds=7, progress=lambda share, what: stages.append(what)
    )
    assert outcome.before is None
    assert outcome.worth_using
    assert outcome.after.greedy > 0.3  # a token of chance: 0.01
    assert matches.best_for(target) == draft
    assert any("loss" in what for what in stages)
    with Model(target) as model, Model(draft) as made:
        assert model.vocabulary.difference(made.vocabulary) is None


@pytest.mark.usefixtures("pays", "ticking", "untaught")
def test_a_former_draft_of_another_shape_is_measured_and_its_weights_are_not_read(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = tmp_path / "former.gguf"
    long = replace(TOY, context=1 << 20)  # a row of logits for each place would take terabytes
    export.write(former, "former", weights(decoder(2)), long, target, "q8_0")
    monkeypatch.setattr(export, "read", lambda path: pytest.fail(f"{path} is read"))
    outcome = room.distill(
        target, tmp_path / "draft.gguf", PROMPTS, seconds=7, former=former, progress=silent
    )
    assert outcome.before is not None
    assert outcome.before.tokens == outcome.after.tokens


@pytest.mark.usefixtures("pays", "ticking", "untaught")
@pytest.mark.parametrize("better", [True, False])
def test_a_draft_is_replaced_by_a_better_one_only(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, better: bool
) -> None:
    draft = tmp_path / "draft.gguf"
    export.write(draft, "former", weights(decoder(2)), TOY, target, "q8_0")
    matches.keep(target, [matches.Match("d", str(draft), fingerprint(draft), 0.5, 2.0, 1.5)])
    former = draft.read_bytes()
    monkeypatch.setattr(
        room,
        "acceptance",
        lambda path, texts: Acceptance(0.5 if (path == draft) != better else 0.4, 0.5, 9),
    )
    outcome = room.distill(target, draft, PROMPTS, seconds=7, former=draft, progress=silent)
    assert outcome.worth_using == better
    assert (draft.read_bytes() == former) != better
    assert matches.best_for(target) == draft
    assert sorted(path.name for path in tmp_path.iterdir()) == ["draft.gguf", "home"]


@pytest.mark.usefixtures("pays", "ticking", "untaught")
def test_what_auto_takes_from_now_on_is_looked_up(
    target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["distill", str(target), "-o", str(tmp_path / "draft.gguf"), "--minutes", "0.1"]
    assert main([*command, "--draft", "none"]) == 0
    assert "--draft auto takes it from now on" in capsys.readouterr().out.replace("\n", " ")
    other = tmp_path / "other.gguf"
    export.write(other, "other", weights(decoder(2)), TOY, target, "q8_0")
    matches.keep(target, [matches.Match("o", str(other), fingerprint(other), 0.5, 2.0, 5.0)])
    assert main([*command, "--draft", "none"]) == 0
    assert "auto goes on as before" in capsys.readouterr().out.replace("\n", " ")


@pytest.mark.usefixtures("ticking")
def test_a_former_draft_of_the_same_shape_is_where_learning_begins(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former, shape = (
        tmp_path / "former.gguf",
        DecoderShape(len(TOKENS), *room._SIZES["tiny"], context=64),
    )
    export.write(former, "former", weights(Decoder(shape)), shape, target, "q8_0")
    begun: list[set[str]] = []

    def train(*_: object, start: dict[str, np.ndarray], **__: object) -> None:
        begun.append(set(start))
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", train)
    with pytest.raises(KeyboardInterrupt):
        room.distill(target, former, PROMPTS, seconds=7, former=former, progress=silent)
    assert begun == [set(weights(Decoder(shape)))]


def test_an_interrupted_training_goes_on(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Record(tmp_path / "r") as record:
        write(target, PROMPTS, record, tokens=600, seconds=600, progress=silent)
        texts = record.texts()
    monkeypatch.setattr(training, "_SAVE_SECONDS", 0.0)
    checkpoint = tmp_path / "learning.pt"
    steps = 0

    def killed(share: float, what: str) -> None:
        nonlocal steps
        steps += 1
        if steps > 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(texts, TOY, checkpoint, seconds=60, device="cpu", progress=killed)
    spent = torch.load(checkpoint)["spent"]
    seconds = spent + 0.5
    result = training.train(texts, TOY, checkpoint, seconds=seconds, device="cpu", progress=silent)
    assert result.steps > 8
    assert torch.load(checkpoint)["step"] == result.steps


@pytest.mark.usefixtures("ticking")
@pytest.mark.parametrize("left", [b"", b"no checkpoint", b"PK\x03\x04 and no more"])
def test_a_damaged_checkpoint_costs_only_what_it_held(
    target: Path, tmp_path: Path, left: bytes
) -> None:
    with Record(tmp_path / "r") as record:
        write(target, PROMPTS, record, tokens=200, seconds=600, progress=silent)
        texts = record.texts()
    checkpoint = tmp_path / "learning.pt"
    checkpoint.write_bytes(left)
    result = training.train(texts, TOY, checkpoint, seconds=0.5, device="cpu", progress=silent)
    assert result.steps > 0


def test_what_was_written_survives_a_kill(target: Path, home: Path) -> None:
    code = f"from localspec.cli import main; main(['distill', {str(target)!r}, '--minutes', '5'])"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        deadline = time.monotonic() + 300
        while not (found := list(home.glob("cache/distill/*/written.bin"))) or (
            found[0].stat().st_size < 50_000
        ):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    with Record(found[0]) as record:
        kept = record.texts()
        assert kept
        write(target, prompts.seeds(), record, tokens=1, seconds=600, progress=silent)
        assert len(record.texts()) == len(kept)  # nothing is written twice
        said = sum(len(text.said) for text in kept)
        write(target, prompts.seeds(), record, tokens=said + 50, seconds=600, progress=silent)
        assert len(record.texts()) > len(kept)


def test_a_full_device_gets_smaller_steps(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Record(tmp_path / "r") as record:
        write(target, PROMPTS, record, tokens=300, seconds=600, progress=silent)
        texts = record.texts()
    computed, sizes = training._loss, []

    def scarce(model: Decoder, tokens: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
        sizes.append(tokens.numel())
        if tokens.numel() > 500:
            raise torch.OutOfMemoryError
        return computed(model, tokens, *rest)

    monkeypatch.setattr(training, "_loss", scarce)
    result = training.train(texts, TOY, tmp_path / "c", seconds=0.5, device="cpu", progress=silent)
    assert sizes[0] > 500
    assert result.steps > 0


def test_tokens_that_never_occur_are_never_guessed(target: Path, tmp_path: Path) -> None:
    with Record(tmp_path / "r") as record:
        write(target, PROMPTS, record, tokens=300, seconds=600, progress=silent)
        texts = [t for t in record.texts() if t.temperature == 0]
    few = [
        type(t)(t.prompt, t.said, t.likely[:, :2], t.log_probabilities[:, :2], 0.0) for t in texts
    ]
    alphabet = training.Alphabet(few, TOY.vocabulary)
    rows = alphabet.whole(np.arange(len(alphabet), dtype=np.float32)[:, None])
    absent = np.setdiff1d(np.arange(TOY.vocabulary), alphabet.tokens)
    assert set(rows[absent, 0]) <= {len(alphabet) - 1}
    assert np.array_equal(alphabet.numbers(alphabet.tokens), np.arange(len(alphabet) - 1))


def test_a_draft_that_is_the_target_is_always_right(target: Path, tmp_path: Path) -> None:
    with Record(tmp_path / "r") as record:
        write(target, PROMPTS, record, tokens=300, seconds=600, progress=silent)
        found = acceptance(target, record.texts())
    assert found.greedy > 0.97
    assert found.sampled > 0.85  # of all tokens; only the likeliest are on record


def test_without_torch_it_says_what_to_install(
    target: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "localspec.distill.training", None)
    monkeypatch.delattr("localspec.distill.training")
    assert main(["distill", str(target)]) == 1
    assert "pip install 'localspec[distill]'" in capsys.readouterr().err


def test_a_home_that_cannot_be_written_is_one_sentence(
    target: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home.write_text("a file where a folder should be")
    assert main(["distill", str(target), "-o", str(tmp_path / "draft.gguf")]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"localspec: {home}")
    assert error.endswith("cannot be used (Not a directory); see localspec doctor.\n")


def test_a_full_disk_is_seen_before_the_work(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1 << 20})
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(LocalspecError, match="make room"):
        room.distill(target, tmp_path / "d.gguf", PROMPTS, seconds=1, progress=silent)


def test_a_draft_that_could_not_be_written_is_refused_before_the_work(
    target: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    stages: list[str] = []

    def hear(share: float, what: str) -> None:
        stages.append(what)

    for draft, words in (
        (tmp_path, "is a folder"),
        (tmp_path / "file" / "draft.gguf", "cannot be written"),
        (target, "would replace its target"),
    ):
        with pytest.raises(UsageError, match=words):
            room.distill(target, draft, PROMPTS, seconds=1, progress=hear)
    assert stages == []


def test_a_file_without_vocabulary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.gguf"
    writer = gguf.GGUFWriter(path, "qwen3")
    finish(writer)
    with pytest.raises(ModelError, match="no vocabulary"):
        export.check_vocabulary(path)


@pytest.mark.usefixtures("pays", "ticking", "untaught")
def test_the_verb_tells_what_came_of_it(
    target: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = tmp_path / "prompts.txt"
    asked.write_text("\n".join([*PROMPTS, "{broken"]))
    draft = tmp_path / "verb.gguf"
    command = ["distill", str(target), "-o", str(draft), "--prompts", str(asked)]
    assert main([*command, "--minutes", "0.1", "--json"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert draft.exists()
    assert document["worth_using"] is True
    assert 0 <= document["after"]["greedy"] <= 1
    assert "1 lines" in err
