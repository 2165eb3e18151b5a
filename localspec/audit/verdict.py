"""What an audit found, in words for a person and as a document for a program."""

from collections.abc import Iterator
from dataclasses import asdict

from localspec.audit.audit import Audit
from localspec.audit.chances import FALSE_ALARMS, Chance
from localspec.audit.texts import Text
from localspec.audit.widths import Widths
from localspec.console import finding, paragraph, ranges

__all__ = ["document", "page"]

_REPORT = (
    "That is a fault of localspec: please report it with what localspec audit --json prints, and "
    "use --speculation off until it is mended."
)


def page(audit: Audit, columns: int) -> Iterator[str]:
    """Lines of at most `columns`: a finding for each question, and the verdict."""
    for subject, well, words in (
        ("logits", audit.one_class, _logits(audit.widths)),
        ("texts", not audit.forks, _texts(audit.texts, audit.forks)),
        ("frequencies", not audit.strayed, _chances(audit.chances, audit.strayed)),
    ):
        yield from finding("ok" if well else "failed", subject, words, columns)
    yield ""
    yield from paragraph(_verdict(audit), columns)


def _verdict(audit: Audit) -> str:
    if audit.exact:
        return (
            f"Guessing changes nothing here: the same seed gives the same text with {_who(audit)}."
        )
    if audit.strayed or audit.one_class:
        return f"Guessing changes answers here. {_REPORT}"
    return (
        "This computer rounds in another way when it looks at more tokens at once, so with guesses "
        "the same seed may give other words, as good as those without. For replays to the letter "
        "use --speculation off, or another quantization: Q4_0, Q5_0 and Q8_0 round alike on CPUs."
    )


def _who(audit: Audit) -> str:
    return f"{audit.model} and {audit.draft or 'without a draft'}"


def _logits(found: Widths | None) -> str:
    if found is None:
        return "its cache cannot be cut back, so no guesses are ever made"
    if len(found.classes) == 1:
        widest = found.classes[0][-1]
        return f"equal to the bit, whether 1 or up to {widest} tokens are looked at together"
    classes = "; ".join(", ".join(ranges(widths)) for widths in found.classes)
    return f"differ by up to {found.difference:.2g}; equal only among {classes} tokens at once"


def _texts(texts: list[Text], forks: list[Text]) -> str:
    if forks:
        first = forks[0]
        return (
            f"{len(forks)} of {len(texts)} differ, first {first.task} at token {first.fork} with "
            f"speculation {first.speculation} at temperature {first.temperature:g}"
        )
    tokens, held = sum(text.tokens for text in texts), sum(text.held for text in texts)
    return f"{len(texts)} answers the same, token by token ({tokens} tokens, {held} guessed right)"


def _chances(chances: list[Chance], strayed: list[Chance]) -> str:
    counted = [chance for chance in chances if chance.samples]
    samples, least = sum(c.samples for c in counted), min((c.p for c in counted), default=1.0)
    alarms = f"{1 / FALSE_ALARMS:,.0f}"
    return (
        f"of {samples} tokens in {len(counted)} places some came too often"
        if strayed
        else f"{samples} tokens in {len(counted)} places came as often as the model says they would"
    ) + f" (least p {least:.2g}; one audit in {alarms} is wrong about it)"


def document(audit: Audit) -> dict[str, object]:
    """All figures."""
    return {
        "exact": audit.exact,
        "model": audit.model,
        "draft": audit.draft,
        "widths": audit.widths and asdict(audit.widths),
        "texts": [asdict(text) for text in audit.texts],
        "frequencies": [asdict(chance) for chance in audit.chances],
        "false_alarms": FALSE_ALARMS,
    }
