"""What grammars take."""

from localspec.llama.grammar import Grammar
from localspec.llama.vocabulary import Vocabulary

__all__ = ["may_say"]


def may_say(grammar: Grammar, text: str, vocabulary: Vocabulary) -> bool:
    """Whether `text` may be said, and be all."""
    match = grammar.begin()
    for token in vocabulary.tokenize(text):
        if not match.allowed()[token]:
            return False
        match.push(token)
    return bool(match.allowed()[[*vocabulary.end_tokens]].any())
