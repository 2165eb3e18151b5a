"""`/v1/embeddings`: its body, and the answer in OpenAI's shape."""

import base64
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from localspec.runtime import Prompt
from localspec.wire.asked import IGNORED, ModelName
from localspec.wire.completion import Prompts, prompts
from localspec.wire.errors import Refusal
from localspec.wire.reading import read as read_body

__all__ = ["EmbeddingBody", "embeddings", "read"]

_MOST = 256  # texts


class EmbeddingBody(msgspec.Struct, kw_only=True):
    """The body of `/v1/embeddings`. `dimensions` shortens the vectors."""

    input: Prompts
    model: ModelName = ""
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Meta(ge=1)] | None = None


def read(data: bytes | Mapping[str, object]) -> tuple[EmbeddingBody, list[Prompt]]:
    """The body, and its texts. Raises Refusal."""
    body = read_body(data, EmbeddingBody, IGNORED)
    texts = prompts(body.input, "input")
    if len(texts) > _MOST:
        raise Refusal(f"input holds more than {_MOST} texts; send them in portions.", param="input")
    return body, texts


def embeddings(
    body: EmbeddingBody, model: str, vectors: list[npt.NDArray[np.float32]], tokens: int
) -> dict[str, Any]:
    """The answer: a vector for each text."""
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": i, "embedding": _encoded(_cut(vector, body), body)}
            for i, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _cut(vector: npt.NDArray[np.float32], body: EmbeddingBody) -> npt.NDArray[np.float32]:
    if body.dimensions is None or body.dimensions >= len(vector):
        return vector
    cut = vector[: body.dimensions]
    return cut / max(float(np.linalg.norm(cut)), 1e-12)


def _encoded(vector: npt.NDArray[np.float32], body: EmbeddingBody) -> str | list[float]:
    if body.encoding_format == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    values: list[float] = vector.tolist()
    return values
