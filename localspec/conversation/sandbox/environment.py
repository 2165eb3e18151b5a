"""The environment in which templates are compiled and rendered."""

import functools
import threading
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jinja2 import Template, pass_context
from jinja2.exceptions import SecurityError
from jinja2.ext import LoopControlExtension
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import Namespace

from localspec.conversation.sandbox.compiler import Compiler, Generation
from localspec.conversation.sandbox.filters import BOUNDED, ITERATING, PLAIN
from localspec.conversation.sandbox.meter import BITS, LONGEST, NODE, Function, Meter, fits
from localspec.conversation.sandbox.methods import CHANGING, METHODS

__all__ = ["Sandbox"]


class _Namespace(Namespace):
    """Can hold itself, so it is never written out."""

    def __repr__(self) -> str:
        return "<Namespace>"


class Sandbox(ImmutableSandboxedEnvironment):
    """Compiles and renders templates with the options of Transformers' apply_chat_template.

    Rendering may take `seconds` of a processor, compiling five times as long: it is done once, and
    takes a slow machine a while even for an honest template. Raises ModelError at a limit, and for
    other faults of a template what Jinja and Python raise.
    """

    code_generator_class = Compiler
    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.here = threading.local()  # holds this thread's meter
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # nothing is evaluated while a template is compiled
            extensions=[LoopControlExtension, Generation],
            cache_size=0,
        )
        self.finalize = self.printed
        self.globals = {"range": self.globals["range"], "namespace": _Namespace}
        self.filters = {name: self._metered(name, FILTERS[name]) for name in PLAIN}
        self.filters |= {name: self._metered(name, f) for name, f in BOUNDED.items()}
        self.tests = TESTS | {
            "odd": lambda n: self._modulo(n, 2) == 1,
            "even": lambda n: self._modulo(n, 2) == 0,
            "divisibleby": lambda n, by: self._modulo(n, by) == 0,
        }

    def compile_template(self, source: str) -> Template:
        """What `render` takes."""
        self.here.meter = Meter(5 * self.seconds)
        fits(len(source), LONGEST)
        return self.from_string(source)

    def render(self, template: Template, variables: Mapping[str, object]) -> str:
        """The template's text for `variables`."""
        self.here.meter = Meter(self.seconds, variables)
        try:
            return self.concat(template.root_render_func(template.new_context(dict(variables))))
        finally:
            del self.here.meter

    # Guards, called by compiled templates and filters.

    def made(self, value: Any) -> Any:
        """Charge for a new value."""
        if isinstance(value, int):
            fits(value.bit_length(), BITS)
        size, _ = self.here.meter.weigh(value)
        fits(size)
        self.here.meter.spend(size if isinstance(value, str) else 0)
        return value

    def cut(self, value: Any) -> Any:
        """Charge for a slice; what is in it is old."""
        self.here.meter.spend(value.__sizeof__())
        return value

    def each(self, values: Iterable[Any]) -> Iterator[Any]:
        """Charge for every step of a loop."""
        spend = self.here.meter.spend
        step = NODE if isinstance(values, str) else NODE // 4
        for value in values:
            spend(step)
            yield value

    def text(self, value: object) -> str:
        """`value` as text."""
        return value if isinstance(value, str) else str(self.made(str(value)))

    def joined(self, values: Iterable[object], separator: str = "") -> str:
        """The texts of `values` as one."""
        texts = [self.text(value) for value in self.each(values)]
        fits(sum(map(len, texts)) + len(separator) * len(texts))
        return str(self.made(separator.join(texts)))

    def concat(self, pieces: Iterable[str]) -> str:
        """What a template, a macro or a block has written."""
        texts, size = [], 0
        for piece in pieces:
            size += len(piece)
            fits(size)
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
                    fits(size * times)
        elif operator == "**":
            if isinstance(left, int) and isinstance(right, int):
                fits(left.bit_length() * right, BITS)
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
        return attr in METHODS.get(type(obj), ())

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
        self.here.meter.spend(NODE)
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        if isinstance(obj, types.BuiltinMethodType):
            owner = obj.__self__
            if obj.__name__ in CHANGING and isinstance(owner, list):
                self.here.meter.change(owner, *args)
            return self.made(METHODS[type(owner)][obj.__name__](owner, *args, **kwargs))
        if isinstance(obj, Macro) and (obj.catch_varargs or obj.catch_kwargs):
            self.made((args, kwargs))
        return super().call(context, obj, *args, **kwargs)

    def _metered(self, name: str, function: Function) -> Function:
        """A filter whose input and output are charged for."""
        at = 1 if hasattr(function, "jinja_pass_arg") else 0

        @functools.wraps(function)
        def metered(*args: Any, **kwargs: Any) -> Any:
            self.here.meter.spend(NODE)
            if name in ITERATING and args[at]:
                args = (*args[:at], self.each(args[at]), *args[at + 1 :])
            result = function(*args, **kwargs)
            # A lazy one would do its work, and have its weight, somewhere else.
            lazy = isinstance(result, Iterator) and not isinstance(result, LoopContext)
            return self.made(list(result) if lazy else result)

        return metered
