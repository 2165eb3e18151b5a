"""A target of a few thousand weights, clocks that tick evenly, and steps that are left out.

Torch is imported where a fixture needs it: not every test does.
"""

from pathlib import Path

import pytest

from localspec.bench.pairing import Measured
from localspec.distill import distill as room
from localspec.distill import export, writing
from localspec.distill.shape import DecoderShape


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from toys import TOY, decoder, vocabulary, weights

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
    from localspec.distill import training

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
    from toys import weights

    from localspec.distill import training
    from localspec.distill.decoder import Decoder

    def train(texts: object, shape: DecoderShape, *_: object, **__: object) -> training.Result:
        return training.Result(shape, weights(Decoder(shape)), 0, 0.0)

    monkeypatch.setattr(training, "train", train)


@pytest.fixture
def unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be asked of the target."""
    monkeypatch.setattr(room, "write", lambda *_, **__: pytest.fail("the target writes"))
