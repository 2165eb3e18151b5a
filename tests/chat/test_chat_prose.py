"""Answers in Markdown: grown bit by bit they look as if they had come at once, and cost no more."""

from typing import Any

import pytest
from markdown_it import MarkdownIt
from scripted import driven
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownBlock

from localspec.tui.widgets.prose import Prose

LISTS = """1. one
   - a
     - deep
   - b

     in b
2. two

   ```py
   x = 1
   ```
- other
- items
- of
- these
---
> said
> 1. by
> 2. someone
""" + "".join(f"{n}. of many\n" for n in range(8, 14))
TABLE = """Title
===
| a | `b` |
|---|:-:|
| 1 | <T> |
| 3 |
| 5 | **6** | 7
| 8 | 9 |
```
code
```
"""
CODE = "```python\n" + "".join(
    f"def f{n}(x):\n    '''It says\n    {n}.'''\n    return x + {n}  # so\n\n\n"
    for n in range(20)
) + "```\nend"  # fmt: skip
SCRIPT = "~~~html\n<script>\n" + "var a = document.all;  // all\n" * 90 + "</script>\n~~~"


class Two(App[None]):
    """An answer that grows, and the same text as Textual shows it."""

    CSS = "MarkdownFence > Label { padding: 0 1; }"

    def compose(self) -> ComposeResult:
        parser = MarkdownIt("gfm-like", {"html": False})
        for markdown in (Prose(), Markdown(parser_factory=lambda: parser)):
            with VerticalScroll():
                yield markdown


def drawn(markdown: Markdown) -> list[Any]:
    """Every line of all that is shown, its place and its style."""
    leaves: list[Widget] = [w for w in markdown.walk_children(Widget) if not w.children and w.size]
    return sorted(
        (leaf.region.y - markdown.region.y + at, leaf.region.x, _styled(strip))
        for leaf in leaves
        for at, strip in enumerate(leaf.render_lines(Region(0, 0, *leaf.size)))
    )


def _styled(line: Strip) -> list[tuple[str, str]]:
    return [(text, str(style)) for text, style, _ in line.simplify()]


@pytest.mark.parametrize(
    ("text", "size"),
    [(LISTS, 2), (TABLE, 1), (CODE, 61), (SCRIPT, 401)],
    ids=["lists", "table", "code", "script"],
)
@driven
async def test_what_has_grown_looks_like_what_came_at_once(text: str, size: int) -> None:
    async with Two().run_test(size=(80, 60)) as pilot:
        grown = pilot.app.query_one(Prose)
        (plain,) = (found for found in pilot.app.query(Markdown) if found is not grown)
        for end in range(size, len(text) + size, size):
            await grown.grow(text[:end])
        await grown.show(text)
        await plain.update(text)
        await pilot.pause(0.1)
        assert drawn(grown) == drawn(plain)


LONG = {
    "list": "1. something\n" * 60,
    "table": "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 60,
    "code": "```python\n" + "print(1)  # something\n" * 200,
    "prose": "Something is said.\n\n" * 60,
}


@pytest.mark.parametrize("kind", LONG)
@driven
async def test_only_the_end_of_a_long_answer_is_read_and_drawn_again(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, read, redrawn = LONG[kind], list[int](), set[Static]()
    parse, update = MarkdownIt.parse, Static.update

    def noted_parse(self: MarkdownIt, source: str, *rest: Any) -> Any:
        read.append(len(source))
        return parse(self, source, *rest)

    def noted_update(self: Static, *content: Any, **options: Any) -> None:
        redrawn.add(self)
        update(self, *content, **options)

    async with Two().run_test(size=(80, 30)) as pilot:
        grown = pilot.app.query_one(Prose)
        for end in range(0, len(text) - 10, 100):
            await grown.grow(text[:end])
        monkeypatch.setattr(MarkdownIt, "parse", noted_parse)
        monkeypatch.setattr(Static, "update", noted_update)
        before = [view for view in grown.walk_children(Static) if not view.children]
        await grown.grow(text)
        assert max(read) < 0.4 * len(text)
        assert len([view for view in before if view in redrawn or not view.is_attached]) <= 4


@driven
async def test_a_rule_within_an_item_stands_there_once() -> None:
    text = "- above\n\n  ---\n\n  below and below"
    async with Two().run_test(size=(80, 30)) as pilot:
        grown = pilot.app.query_one(Prose)
        for end in range(1, len(text) + 1):
            await grown.grow(text[:end])
        kinds = [type(block).__name__ for block in grown.walk_children(MarkdownBlock)]
        assert kinds == ["Bullets", "Paragraph", "MarkdownHorizontalRule", "Paragraph"]


@driven
async def test_what_looks_like_html_is_shown_as_it_was_said() -> None:
    async with Two().run_test(size=(80, 30)) as pilot:
        grown = pilot.app.query_one(Prose)
        await grown.show("<div>\nseen\n</div>\n\nA `list` is a vector<int>.")
        await pilot.pause()
        shown = "".join(text for *_, line in drawn(grown) for text, _ in line)
        assert "<div> seen </div>" in shown
        assert "vector<int>" in shown


@driven
async def test_code_with_tabs_has_the_colours_of_code_with_spaces() -> None:
    async with Two().run_test(size=(80, 30)) as pilot:
        grown = pilot.app.query_one(Prose)
        pictures = []
        for indent in ("\t", " " * 8):
            await grown.show(f"```go\nfunc f() {{\n{indent}return 1 // so\n}}\n```")
            await pilot.pause()
            pictures.append(drawn(grown))
        assert pictures[0] == pictures[1]
