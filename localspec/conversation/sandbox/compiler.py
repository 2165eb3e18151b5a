"""Templates made into Python in which loops and new values go through the sandbox."""

from typing import TYPE_CHECKING, Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from jinja2.ext import Extension
from jinja2.parser import Parser

if TYPE_CHECKING:
    from localspec.conversation.sandbox.environment import Sandbox

__all__ = ["Compiler", "Generation"]


class Compiler(CodeGenerator):
    """Emits Python in which loops and new values go through the sandbox."""

    environment: "Sandbox"
    _refused = (
        nodes.Block,
        nodes.Extends,
        nodes.Include,
        nodes.Import,
        nodes.FromImport,
        nodes.EvalContextModifier,  # autoescape
    )

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> None:
        """Write `node`, inside calls of the sandbox's guards where it needs them."""
        self.environment.here.meter.spend(0)
        if isinstance(node, self._refused) or (isinstance(node, nodes.For) and node.recursive):
            self.fail("a statement that chat templates have no use for", node.lineno)
        guards = ["each"] if getattr(node, "looped", False) else []
        if isinstance(node, nodes.For):
            node.iter.looped = True  # type: ignore[attr-defined]
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
            guards.append("cut")
        elif isinstance(node, nodes.Dict) or (
            isinstance(node, (nodes.List, nodes.Tuple))
            and getattr(node, "ctx", "load") == "load"
            and not all(isinstance(item, nodes.Const) for item in node.items)
        ):
            guards.append("made")
        for guard in guards:
            self.write(f"environment.{guard}(")
        super().visit(node, *args, **kwargs)
        self.write(")" * len(guards))

    def visit_Concat(self, node: nodes.Concat, frame: Any) -> None:
        """`a ~ b` by the sandbox's own means."""
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class Generation(Extension):
    """`{% generation %}` marks for training what the model said; here it means nothing."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        """The body, in a scope of its own as Transformers has it."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)
