"""A model's vocabulary: text to tokens and back."""

import ctypes
import functools
import re
from collections.abc import Iterable

import numpy as np

from localspec.errors import ModelError, UsageError
from localspec.llama.handle import Handle
from localspec.llama.library import lib
from localspec.llama.portions import LONGEST, portions

__all__ = ["Vocabulary"]

_PIECE_BYTES = 128  # first guess at the length of a token's text


class Vocabulary:
    """Tokens of one model. It lives as long as the model it was read from."""

    def __init__(self, handle: Handle) -> None:
        self._handle: Handle | None = handle
        self.size: int = lib.llama_vocab_n_tokens(handle)
        if self.size == 0:
            raise ModelError("The file holds no vocabulary; get a GGUF with its tokenizer inside.")
        self.bos: int = lib.llama_vocab_bos(handle)  # -1 where the model has none
        self.eos: int = lib.llama_vocab_eos(handle)  # likewise
        self.adds_bos: bool = lib.llama_vocab_get_add_bos(handle) and self.bos >= 0
        self._pieces: list[bytes | None] = [None] * self.size

    @property
    def handle(self) -> Handle:
        """llama.cpp's own. Raises ModelError where the model was closed."""
        handle = self._handle
        if handle is None:
            raise ModelError("The model was closed; load it again.")
        return handle

    def close(self) -> None:
        """The model goes."""
        self._handle = None

    @functools.cached_property
    def end_tokens(self) -> frozenset[int]:
        """Tokens after which a model has nothing more to say."""
        return frozenset(t for t in range(self.size) if lib.llama_vocab_is_eog(self.handle, t))

    @functools.cached_property
    def _marks(self) -> list[tuple[int, str, bool]]:
        """Tokens that are one wherever they stand, written out, and which are control tokens."""
        control = lib.LLAMA_TOKEN_ATTR_CONTROL
        kinds = ((t, lib.llama_vocab_get_attr(self.handle, t)) for t in range(self.size))
        return [
            (token, self._raw(token).decode("utf-8", "replace"), bool(kind & control))
            for token, kind in kinds
            if kind & (control | lib.LLAMA_TOKEN_ATTR_USER_DEFINED)
        ]

    @functools.cached_property
    def control_texts(self) -> tuple[str, ...]:
        """What control tokens look like when written out, longest first."""
        texts = {text for _, text, is_control in self._marks if is_control}
        return tuple(sorted(texts - {""}, key=lambda text: (-len(text), text)))

    @functools.cached_property
    def special(self) -> dict[str, int]:
        """Tokens that are no text to llguidance, by their own: control tokens, and their like."""
        return {
            text: token
            for token, text, is_control in self._marks
            if text and (is_control or (text[0] == "<" and text[-1] == ">"))
        }

    @property
    def end_texts(self) -> tuple[str, ...]:
        """Tokens after which a model has nothing more to say, written out."""
        return tuple(map(self.text_of, sorted(self.end_tokens)))

    def text_of(self, token: int) -> str:
        """The token as a person would write it, control tokens too (`<|im_end|>`)."""
        return (self.piece(token) or self._raw(token)).decode("utf-8", "replace")

    def tokenize(self, text: str, *, control: bool = False, whole: bool = False) -> list[int]:
        """Tokens of `text`. Only with `control` do control tokens come of it.

        With `whole` those are added that the model wants before and after a text. Raises UsageError
        for halves of characters (surrogates).
        """
        parts = [text]
        if len(text) > LONGEST and lib.llama_vocab_type(self.handle) == lib.LLAMA_VOCAB_TYPE_BPE:
            parts = list(portions(text, self._is_within))
        if len(parts) == 1:
            return self._tokens(text, control, whole)
        tokens = [self.bos] if whole and self.adds_bos else []
        for part in parts:
            tokens += self._tokens(part, control, whole=False)
        return [*tokens, self.eos] if whole and lib.llama_vocab_get_add_eos(self.handle) else tokens

    def _is_within(self, text: str, at: int) -> bool:
        """Whether a place in a text is within what is one token wherever it stands."""
        unbroken, longest = self._unbroken
        found = unbroken.finditer(text, max(0, at - longest), at + longest)
        return any(match.start() < at < match.end() for match in found)

    @functools.cached_property
    def _unbroken(self) -> tuple[re.Pattern[str], int]:
        """Such texts, as a pattern, and the length of the longest."""
        texts = sorted({text for _, text, _ in self._marks} - {""}, key=len)
        pattern = "|".join(map(re.escape, reversed(texts))) or r"(?!)"
        return re.compile(pattern), max(map(len, texts), default=0)

    def _tokens(self, text: str, control: bool, whole: bool) -> list[int]:
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UsageError(f"The text is not Unicode: {error.reason}.") from None
        capacity = len(data) + 8
        while True:
            tokens = np.empty(capacity, dtype=np.int32)
            into = tokens.ctypes.data_as(ctypes.POINTER(lib.llama_token))
            n = lib.llama_tokenize(self.handle, data, len(data), into, capacity, whole, control)
            if n >= 0:
                found: list[int] = tokens[:n].tolist()
                return found
            capacity = -n

    def piece(self, token: int) -> bytes:
        """The token's bytes (part of a character, perhaps); empty for control tokens not shown."""
        known = self._pieces[token]
        if known is None:
            known = self._pieces[token] = self._read_piece(token)
        return known

    def show(self, texts: Iterable[str]) -> None:
        """Give control tokens with these texts pieces too: they mark parts of what is said."""
        for text in texts:
            tokens = self.tokenize(text, control=True)
            if len(tokens) == 1:
                self._pieces[tokens[0]] = text.encode()

    def _read_piece(self, token: int) -> bytes:
        size = _PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(size)
            n = lib.llama_token_to_piece(self.handle, token, buffer, size, 0, False)
            if n >= 0:
                return buffer.raw[:n]
            size = -n

    def _raw(self, token: int) -> bytes:
        text: bytes = lib.llama_vocab_get_text(self.handle, token)
        return text

    def difference(self, other: "Vocabulary") -> str | None:
        """Why tokens of `other` mean something else here, or None where they mean the same.

        Vocabularies may differ in size (padding for tensor shapes); what both have must agree.
        """
        for token in range(min(self.size, other.size)):
            ours, theirs = self._raw(token), other._raw(token)
            if ours != theirs:
                shown, found = (t.decode("utf-8", "replace") for t in (ours, theirs))
                return f"token {token} is {shown!r} in one and {found!r} in the other"
        if self.adds_bos != other.adds_bos or (self.adds_bos and self.bos != other.bos):
            return "one starts its texts with another token than the other"
        shared = range(min(self.size, other.size))
        ends = (self.end_tokens ^ other.end_tokens).intersection(shared)
        if ends:
            return f"token {min(ends)} ends an answer in one and not in the other"
        return None
