"""Answers that must match a grammar, by llguidance, which reads the model's own tokenizer."""

import warnings
from collections.abc import Mapping
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from llguidance import LLMatcher, LLParserLimits
from llguidance.llamacpp import lltokenizer_from_vocab

from localspec.errors import UsageError
from localspec.llama.lark import json_rule
from localspec.llama.vocabulary import Vocabulary

__all__ = ["Grammar", "Match"]


# Strangers may send grammars: about 40 ms to build one, and 10 ms a token, at the very most.
_LIMITS = LLParserLimits(
    initial_lexer_fuel=2_000_000,
    step_lexer_fuel=150_000,
    step_max_items=50_000,
    max_lexer_states=50_000,
    max_grammar_size=100_000,
    verbose_errors=False,
)


class Grammar:
    """A compiled grammar. Raises UsageError where it cannot be used.

    `source` is in Lark's notation as llguidance extends it.
    """

    def __init__(self, source: str, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._grammar = LLMatcher.grammar_from_lark(source)
        with vocabulary.handle:  # which llguidance keeps as a number
            self._tokenizer = _tokenizer(vocabulary)
            error = LLMatcher.validate_grammar(self._grammar, self._tokenizer, limits=_LIMITS)
        if error:
            raise UsageError(f"The JSON schema cannot be used: {error.splitlines()[0][:300]}")

    @classmethod
    def of_schema(cls, schema: Mapping[str, Any], vocabulary: Vocabulary) -> Self:
        """Of all JSON that matches a schema."""
        return cls(f"start: {json_rule(schema)}", vocabulary)

    @staticmethod
    def can_say(source: str) -> bool:
        """Whether a grammar can be used, whatever the vocabulary."""
        return not LLMatcher.validate_grammar(LLMatcher.grammar_from_lark(source))

    def begin(self) -> "Match":
        """Matching from the start, for one answer."""
        with self._vocabulary.handle:
            matcher = LLMatcher(self._tokenizer, self._grammar, limits=_LIMITS)
        return Match(matcher, self._vocabulary.size)


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

    def forced(self) -> list[int]:
        """Tokens that must follow, as far as there is no choice."""
        if self._matcher.is_stopped():
            return []
        tokens: list[int] = self._matcher.compute_ff_tokens()
        return tokens

    def allowed(self) -> npt.NDArray[np.bool_]:
        """Which tokens may come next, one flag a token."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        return np.unpackbits(bits, count=self._size, bitorder="little").view(np.bool_)


_tokenizers: WeakKeyDictionary[Vocabulary, Any] = WeakKeyDictionary()


def _tokenizer(vocabulary: Vocabulary) -> Any:
    """llguidance's view of a vocabulary, kept as long as that: it takes up to a second to make,
    and a kilobyte a token.
    """
    if vocabulary not in _tokenizers:
        _tokenizers[vocabulary] = _made(vocabulary)
    return _tokenizers[vocabulary]


def _made(vocabulary: Vocabulary) -> Any:
    if not vocabulary.end_tokens:
        raise UsageError("This model cannot keep to a schema: it has no token that ends an answer.")
    with warnings.catch_warnings():  # it asks llama.cpp by names that have newer ones
        warnings.simplefilter("ignore", DeprecationWarning)
        pointer = vocabulary.handle.value
        return lltokenizer_from_vocab(pointer, eos_token=sorted(vocabulary.end_tokens))
