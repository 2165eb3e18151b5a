"""What writers of GGUF files in tests do alike."""

import functools
from pathlib import Path
from typing import Any

import gguf

from localspec import models

PAIR = models.embedded("shell")


@functools.cache
def read_gguf(model: Path) -> gguf.GGUFReader:
    """What is in a file that stays as it is; with many tokens, reading takes a second."""
    return gguf.GGUFReader(model)


def shell_words() -> list[str]:
    """The tokens of the shell pair."""
    words: list[str] = read_gguf(PAIR.target).fields["tokenizer.ggml.tokens"].contents()
    return words


def speak(writer: Any, words: list[str]) -> None:
    """Have a vocabulary of `words` as the shell pair has its own."""
    fields = read_gguf(PAIR.target).fields
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(words)
    writer.add_token_types(fields["tokenizer.ggml.token_type"].contents())
    writer.add_token_merges(fields["tokenizer.ggml.merges"].contents())
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)


def finish(writer: Any) -> None:
    """Write all that was added."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
