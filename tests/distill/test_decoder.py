"""The small decoder is the same in torch, in its file and in llama.cpp."""

from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf_writing import finish
from toys import PROMPTS, TOY, decoder, silent, torch

from localspec.distill import export
from localspec.distill.decoder import Decoder
from localspec.distill.measure import acceptance
from localspec.distill.record import Record
from localspec.distill.writing import write
from localspec.errors import ModelError
from localspec.llama.context import Context
from localspec.llama.model import Model
from localspec.llama.rows import Run


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


def test_a_draft_that_is_the_target_is_always_right(target: Path, tmp_path: Path) -> None:
    with Record(tmp_path / "r") as record:
        write(target, PROMPTS, record, tokens=300, seconds=600, progress=silent)
        found = acceptance(target, record.texts())
    assert found.greedy > 0.97
    assert found.sampled > 0.85  # of all tokens; only the likeliest are on record


def test_a_file_without_vocabulary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.gguf"
    writer = gguf.GGUFWriter(path, "qwen3")
    finish(writer)
    with pytest.raises(ModelError, match="no vocabulary"):
        export.check_vocabulary(path)
