"""What a decoder learns survives interruptions and small devices."""

from pathlib import Path

import numpy as np
import pytest
from toys import PROMPTS, TOY, silent, torch

from localspec.distill import training
from localspec.distill.decoder import Decoder
from localspec.distill.record import Record
from localspec.distill.writing import write


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
