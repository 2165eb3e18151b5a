"""Answers that must match a JSON schema, by llguidance, which reads the model's own tokenizer."""

import functools
import json
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from llguidance import LLMatcher, LLParserLimits
from llguidance.llamacpp import lltokenizer_from_vocab

from localspec.errors import UsageError
from localspec.llama.vocabulary import Vocabulary

__all__ = ["JsonGrammar", "Match"]


class JsonGrammar:
    """A compiled JSON schema. Raises UsageError where the schema cannot be used."""

    def __init__(self, schema: Mapping[str, Any], vocabulary: Vocabulary) -> None:
        self._tokenizer = _tokenizer(vocabulary)
        self._size = vocabulary.size
        self._grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema))
        error = LLMatcher.validate_grammar(self._grammar, self._tokenizer)
        if error:
            raise UsageError(f"The JSON schema cannot be used: {error.splitlines()[0]}")

    def begin(self) -> "Match":
        """Matching from the start, for one answer."""
        matcher = LLMatcher(self._tokenizer, self._grammar, limits=LLParserLimits())
        return Match(matcher, self._size)


class Match:
    """How far an answer has come in its grammar."""

    def __init__(self, matcher: LLMatcher, size: int) -> None:
        self._matcher, self._size = matcher, size
        self._taken: list[bool] = []

    def push(self, token: int) -> None:
        """`token` follows; one that is not allowed, or ends the answer, changes nothing.

        llguidance must not be shown either: an error stays, and an end token cannot be taken back.
        """
        matcher = self._matcher
        fits = not matcher.is_stopped() and matcher.validate_tokens([token]) == 1
        self._taken.append(fits and matcher.consume_token(token))

    def pop(self) -> None:
        """Take the last token back."""
        if self._taken.pop():
            self._matcher.rollback(1)

    def allowed(self) -> npt.NDArray[np.bool_]:
        """Which tokens may come next, one flag a token."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        return np.unpackbits(bits, count=self._size, bitorder="little").view(np.bool_)


@functools.lru_cache(maxsize=4)
def _tokenizer(vocabulary: Vocabulary) -> Any:
    """llguidance's view of a vocabulary; takes up to a second to make, so it is kept."""
    with warnings.catch_warnings():  # it asks llama.cpp by names that have newer ones
        warnings.simplefilter("ignore", DeprecationWarning)
        return lltokenizer_from_vocab(vocabulary.handle, eos_token=sorted(vocabulary.end_tokens))
