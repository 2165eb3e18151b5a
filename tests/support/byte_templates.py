"""Chat templates over a vocabulary of bytes and a few control tokens, written as one reads them."""

import re
from typing import Any

from localspec.conversation.template import ChatTemplate

START, END, BOS, EOS, OTHER, ODD = range(256, 262)
CONTROL = {
    "<|im_start|>": START,
    "<|im_end|>": END,
    "<s>": BOS,
    "</s>": EOS,
    "|><|other|>": OTHER,  # overlaps with what may come before it
    "|<": ODD,  # and after it
}

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Bytes:
    """A vocabulary of bytes and a few control tokens; remembers what it was asked."""

    bos, eos = BOS, EOS
    size = 262
    control_texts = tuple(sorted(CONTROL, key=lambda text: (-len(text), text)))

    end_texts = ("</s>", "<|im_end|>")

    def __init__(self, *, adds_bos: bool = False) -> None:
        self.adds_bos = adds_bos
        self.special = dict(CONTROL)
        self.asked: list[tuple[str, bool]] = []

    def tokenize(self, text: str, *, control: bool) -> list[int]:
        self.asked.append((text, control))
        known = "|".join(map(re.escape, self.control_texts))
        tokens: list[int] = []
        for part in re.split(f"({known})", text) if control else [text]:
            tokens += [CONTROL[part]] if control and part in CONTROL else part.encode()
        return tokens

    def text_of(self, token: int) -> str:
        return next(text for text, control in CONTROL.items() if control == token)


def spelled(tokens: list[int]) -> list[str | int]:
    """Text where there is text, numbers where there are control tokens."""
    parts: list[str | int] = []
    text = b""
    for token in [*tokens, -1]:
        if 0 <= token < 256:
            text += bytes([token])
            continue
        parts += [text.decode()] if text else []
        parts += [token] if token >= 0 else []
        text = b""
    return parts


def rendered(source: str, *contents: object, **options: Any) -> list[str | int]:
    """What `source` makes of messages that users and assistants send in turn."""
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)]
    return spelled(ChatTemplate(source, Bytes()).render(messages, **options))


def written(source: str, *contents: object, **options: Any) -> str:
    """The same, for templates that write text alone."""
    return "".join(str(part) for part in rendered(source, *contents, **options))
