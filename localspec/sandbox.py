"""Jinja for templates from strangers: nothing within reach but values, and an end to everything.

A template sees text, numbers, lists and dicts, namespaces, its own macros, and the functions put
into `globals`. No single step takes long or makes a value above LARGEST bytes, and at each step
the meter is asked whether time and memory are left. So a template that never ends, or grows
without end, raises ModelError soon after its limit, in any thread and without signals:

- Loops go through `each`; calls, filters, operators, literals and slices end in `made`, which
  charges for what they made. The few that make much out of little are measured beforehand.
- A list or dict weighs what it would weigh written out, so twins of twins of twins cannot hide.
- Statements, attributes, functions and filters that chat templates have no use for are refused.
"""

import functools
import json
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic, thread_time
from typing import Any

from jinja2 import Template, nodes, pass_context, pass_environment
from jinja2.compiler import CodeGenerator
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, LoopControlExtension
from jinja2.filters import FILTERS, do_indent, do_round, make_attrgetter
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import Namespace

from localspec.errors import ModelError

__all__ = ["LARGEST", "Sandbox"]

LARGEST = 1 << 22
"""Bytes that one value may take, the rendered text included."""

_TOTAL = 16 * LARGEST  # bytes that all values of one rendering may take
_NODE = 64  # bytes, about what an element of a list takes
_DEEPEST = 64  # lists within lists
_BITS = 4096  # of an integer
_SEARCH = 1 << 29  # characters compared by methods that take their time over it
_LONGEST = 1 << 16  # characters of a template; the longest known has 40,000

_Function = Callable[..., Any]


def _endless() -> ModelError:
    return ModelError(
        "The model's chat template runs or writes without end; use --raw to write the prompt "
        "yourself, or get another file of the model."
    )


def _fits(size: int, most: int = LARGEST) -> None:
    """Ask before making something; the sizes that matter are often known before."""
    if size > most:
        raise _endless()


class _Meter:
    """What is left to one rendering."""

    def __init__(self, seconds: float) -> None:
        self._bytes = _TOTAL
        self._until = thread_time() + seconds
        self._deadline = monotonic() + seconds
        self._weighed: dict[int, tuple[tuple[int, int], object]] = {}

    def spend(self, size: int) -> None:
        """Pay for a step that made `size` bytes."""
        self._bytes -= size
        if self._bytes < 0:
            raise _endless()
        if monotonic() > self._deadline:
            # Only time spent on this counts: a busy or sleeping machine is not its fault.
            left = self._until - thread_time()
            if left <= 0:
                raise _endless()
            self._deadline = monotonic() + left

    def weigh(self, value: object) -> tuple[int, int]:
        """Bytes of `value` if everything in it were written out, and how deep it goes.

        Nothing changes a list or dict, so each is looked into once, and paid for. It is kept, or
        another could come by its id.
        """
        if isinstance(value, str):
            return value.__sizeof__(), 0
        if not isinstance(value, (list, tuple, dict)):
            return _NODE, 0
        if id(value) not in self._weighed:
            size, depth = _NODE, 0
            for item in value if not isinstance(value, dict) else (*value, *value.values()):
                known = self._weighed.get(id(item))
                inner, below = known[0] if known else self.weigh(item)
                size, depth = size + _NODE + inner, max(depth, below + 1)
            _fits(depth, _DEEPEST)
            self.spend(value.__sizeof__() + 4 * _NODE)
            self._weighed[id(value)] = (size, depth), value
        return self._weighed[id(value)][0]


class _Namespace(Namespace):
    """Can hold itself, so it is never written out."""

    def __repr__(self) -> str:
        return "<Namespace>"


class _Compiler(CodeGenerator):
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


class _Generation(Extension):
    """`{% generation %}` marks for training what the model said; here it means nothing."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        """The body, in a scope of its own as Transformers has it."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


class Sandbox(ImmutableSandboxedEnvironment):
    """Compiles and renders templates with the options of Transformers' apply_chat_template.

    Rendering may take `seconds` of a processor, compiling five times as long: it is done once, and
    takes a slow machine a while even for an honest template. Raises ModelError at a limit, and for
    other faults of a template what Jinja and Python raise.
    """

    code_generator_class = _Compiler
    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.here = threading.local()  # holds this thread's meter
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # nothing is evaluated while a template is compiled
            extensions=[LoopControlExtension, _Generation],
            cache_size=0,
        )
        self.finalize = self.printed
        self.globals = {"range": self.globals["range"], "namespace": _Namespace}
        self.filters = {name: self._metered(name, FILTERS[name]) for name in _FILTERS}
        self.filters |= {name: self._metered(name, f) for name, f in _BOUNDED_FILTERS.items()}
        self.tests = TESTS | {
            "odd": lambda n: self._modulo(n, 2) == 1,
            "even": lambda n: self._modulo(n, 2) == 0,
            "divisibleby": lambda n, by: self._modulo(n, by) == 0,
        }

    def compile_template(self, source: str) -> Template:
        """What `render` takes."""
        self.here.meter = _Meter(5 * self.seconds)
        _fits(len(source), _LONGEST)
        return self.from_string(source)

    def render(self, template: Template, variables: Mapping[str, object]) -> str:
        """The template's text for `variables`."""
        self.here.meter = _Meter(self.seconds)
        try:
            return self.concat(template.root_render_func(template.new_context(dict(variables))))
        finally:
            del self.here.meter

    # Guards, called by compiled templates and filters.

    def made(self, value: Any) -> Any:
        """Charge for a new value."""
        if isinstance(value, int):
            _fits(value.bit_length(), _BITS)
        size, _ = self.here.meter.weigh(value)
        _fits(size)
        self.here.meter.spend(size if isinstance(value, str) else 0)
        return value

    def cut(self, value: Any) -> Any:
        """Charge for a slice; what is in it is old."""
        self.here.meter.spend(value.__sizeof__())
        return value

    def each(self, values: Iterable[Any]) -> Iterator[Any]:
        """Charge for every step of a loop."""
        spend = self.here.meter.spend
        step = _NODE if isinstance(values, str) else _NODE // 4
        for value in values:
            spend(step)
            yield value

    def text(self, value: object) -> str:
        """`value` as text."""
        return value if isinstance(value, str) else str(self.made(str(value)))

    def joined(self, values: Iterable[object], separator: str = "") -> str:
        """The texts of `values` as one."""
        texts = [self.text(value) for value in self.each(values)]
        _fits(sum(map(len, texts)) + len(separator) * len(texts))
        return str(self.made(separator.join(texts)))

    def concat(self, pieces: Iterable[str]) -> str:
        """What a template, a macro or a block has written."""
        texts, size = [], 0
        for piece in pieces:
            size += len(piece)
            _fits(size)
            texts.append(piece)
        return str(self.made("".join(texts)))

    # Hooks of Jinja.

    @pass_context
    def printed(self, context: Context, value: object) -> str:
        """What `{{ value }}` writes; as it asks for the context, Jinja cannot write it early."""
        return self.text(value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`left operator right`, for numbers, texts and lists."""
        if operator == "*":
            for value, times in ((left, right), (right, left)):
                if isinstance(value, (str, list, tuple)) and isinstance(times, int):
                    size = len(value) if isinstance(value, str) else self.here.meter.weigh(value)[0]
                    _fits(size * times)
        elif operator == "**":
            if isinstance(left, int) and isinstance(right, int):
                _fits(left.bit_length() * right, _BITS)
        elif operator == "%":
            return self._modulo(left, right)
        return self.made(super().call_binop(context, operator, left, right))

    def _modulo(self, left: Any, right: Any) -> Any:
        if isinstance(left, str):
            raise SecurityError("formatting text with % is not allowed")
        return left % right

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`, metered since filters can be made to follow long paths of them."""
        self.here.meter.spend(0)
        return super().getitem(obj, argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may have `obj.attr`."""
        if isinstance(obj, (_Namespace, LoopContext)):
            return not attr.startswith("_")
        return attr in _METHODS.get(type(obj), ())

    def wrap_str_format(self, value: Any) -> None:
        """Jinja's own str.format is left out: it is not among the methods."""

    def is_safe_callable(self, obj: Any) -> bool:
        """Whether a template may call `obj`, methods of values aside."""
        if isinstance(obj, types.MethodType) and isinstance(obj.__self__, LoopContext):
            return True
        if isinstance(obj, (Macro, Undefined)):  # which says best itself why it cannot be called
            return True
        return any(obj is known for known in self.globals.values())

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call our own version of a value's method, or a macro, or a function in `globals`."""
        self.here.meter.spend(_NODE)
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        if isinstance(obj, types.BuiltinMethodType):
            owner = obj.__self__
            return self.made(_METHODS[type(owner)][obj.__name__](owner, *args, **kwargs))
        if isinstance(obj, Macro) and (obj.catch_varargs or obj.catch_kwargs):
            self.made((args, kwargs))
        return super().call(context, obj, *args, **kwargs)

    def _metered(self, name: str, function: _Function) -> _Function:
        """A filter whose input and output are charged for."""
        at = 1 if hasattr(function, "jinja_pass_arg") else 0

        @functools.wraps(function)
        def metered(*args: Any, **kwargs: Any) -> Any:
            self.here.meter.spend(_NODE)
            if name in _ITERATING and args[at]:
                args = (*args[:at], self.each(args[at]), *args[at + 1 :])
            result = function(*args, **kwargs)
            # A lazy one would do its work, and have its weight, somewhere else.
            lazy = isinstance(result, Iterator) and not isinstance(result, LoopContext)
            return self.made(list(result) if lazy else result)

        return metered


# Filters: Jinja's own where they cannot make much out of little, ours where those could.

_ITERATING = {
    *("list", "map", "max", "min", "reject", "rejectattr", "select", "selectattr", "sort"),
    "unique",
}
_FILTERS = _ITERATING | {
    *("abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int"),
    *("items", "last", "length", "lower", "reverse", "upper"),
}


@pass_environment
def _join(
    env: Sandbox, values: Iterable[Any], d: str = "", attribute: str | int | None = None
) -> str:
    if attribute is not None:
        values = map(make_attrgetter(env, attribute), values)
    return env.joined(values, env.text(d))


@pass_environment
def _replace(env: Sandbox, text: Any, old: Any, new: Any, count: int | None = None) -> str:
    return _replaced(env.text(text), env.text(old), env.text(new), -1 if count is None else count)


@pass_environment
def _trim(env: Sandbox, text: Any, chars: str | None = None) -> str:
    return str(_searching(str.strip)(env.text(text), chars))


@pass_environment
def _indent(
    env: Sandbox, s: Any, width: int | str = 4, first: bool = False, blank: bool = False
) -> str:
    text = env.text(s)
    lines = 2 + sum(map(text.count, "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))
    _fits(len(text) + lines * (_NODE + (len(width) if isinstance(width, str) else width)))
    return do_indent(text, width, first, blank)


@pass_environment
def _title(env: Sandbox, text: Any) -> str:
    text = env.text(text)
    _fits(len(text) * _NODE)
    return str(FILTERS["title"](text))


def _round(value: Any, precision: int = 0, method: Any = "common") -> Any:
    _fits(abs(precision), _NODE)
    return do_round(value, precision, method)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """As Transformers has it: to be read, not for HTML."""
    _fits((indent or 0) + len("".join(separators or ())), 16)
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


@pass_environment
def _string(env: Sandbox, value: Any) -> str:
    return env.text(value)


_BOUNDED_FILTERS: dict[str, _Function] = {
    "indent": _indent,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "safe": _string,
    "string": _string,
    "title": _title,
    "tojson": _tojson,
    "trim": _trim,
}

# Methods: likewise.


def _replaced(text: str, old: str, new: str, count: int = -1) -> str:
    found = text.count(old)
    _fits(len(text) + (found if count < 0 else min(found, count)) * len(new))
    return text.replace(old, new, count)


def _separating(text: str, values: Any) -> str:
    _fits(len(values) * (_NODE + len(text)) + sum(map(len, values)))
    return text.join(values)


def _searching(method: _Function) -> _Function:
    """For methods that may compare every character with every one of their argument."""

    def run(text: str, *args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values())
        longest = max((len(arg) for arg in given if isinstance(arg, str)), default=0)
        _fits(len(text) * longest, _SEARCH)
        return method(text, *args, **kwargs)

    return run


def _listing(method: _Function) -> _Function:
    """For views of a dict, which would not weigh what they show."""
    return lambda owner: list(method(owner))


_PLAIN = (
    *("capitalize", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit"),
    *("islower", "isspace", "isupper", "lower", "removeprefix", "removesuffix", "split"),
    *("startswith", "title", "upper"),
)
_METHODS: dict[type, dict[str, _Function]] = {
    str: {
        **{name: getattr(str, name) for name in _PLAIN},
        "join": _separating,
        "lstrip": _searching(str.lstrip),
        "replace": _replaced,
        "rfind": _searching(str.rfind),
        "rindex": _searching(str.rindex),
        "rsplit": _searching(str.rsplit),
        "rstrip": _searching(str.rstrip),
        "strip": _searching(str.strip),
    },
    dict: {
        "get": dict.get,
        "items": _listing(dict.items),
        "keys": _listing(dict.keys),
        "values": _listing(dict.values),
    },
    list: {"count": list.count, "index": list.index},
    tuple: {"count": tuple.count, "index": tuple.index},
}
