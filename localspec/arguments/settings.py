"""What flags are when nobody gives them: settings from `config.toml` and `LOCALSPEC_*` variables.

A setting is a flag that takes a value, by its own name and with its own type, so there is no list
of settings here. Of several the nearest counts: the flag, `LOCALSPEC_SERVE_PORT`, `LOCALSPEC_PORT`,
`port` in the table [serve] of the file, `port` above all tables. The table [keys] is the chat's.
"""

import argparse
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from localspec import folders
from localspec.arguments import parsers
from localspec.arguments.parser import form
from localspec.errors import UsageError, nearest

__all__ = ["Setting", "in_force", "keys", "parse"]

_PREFIX = "LOCALSPEC_"
_FOREIGN = {"LOCALSPEC_HOME"}
_KUBERNETES = re.compile(r"LOCALSPEC_(SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_\w+)")
"""What it tells all pods of a service called localspec; LOCALSPEC_PORT too, with an address in it.
"""
_SECRET = {"api-key"}
_KEYS = "keys"
_ALL = "; localspec --help shows what can be set."

Flags = Mapping[str, argparse.Action]


class Setting(NamedTuple):
    """A value for a flag of `verb`, or of all verbs where that is empty, and who says so."""

    verb: str
    name: str
    value: Any
    source: str

    def __str__(self) -> str:
        title = f"{self.verb}.{self.name}" if self.verb else self.name
        shown = "set, and not shown" if self.name in _SECRET else f"= {self.value}"
        return f"{title} {shown} ({self.source})"


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What a command line says, and settings where it says nothing. Raises UsageError."""
    parser, verbs = parsers()
    flags = {verb: _flags(of) for verb, of in verbs.items()}
    defaults = {verb: {name: a.default for name, a in of.items()} for verb, of in flags.items()}
    for action in (action for of in flags.values() for action in of.values()):
        action.default = argparse.SUPPRESS  # so that what was not said is not there
    options = parser.parse_args(arguments)
    own = flags[options.verb]
    missing = [name for name, action in own.items() if action.dest not in options]
    found = _found(flags) if missing else []
    for name in missing:
        said = [s for s in found if s.name == name and s.verb in ("", options.verb)]
        default = defaults[options.verb][name]
        value = _value(own[name], said[0]) if said else default
        setattr(options, own[name].dest, value)
    return options


def in_force() -> list[Setting]:
    """All settings, those that count more first. Raises UsageError where one makes no sense."""
    _, verbs = parsers()
    flags = {verb: _flags(of) for verb, of in verbs.items()}
    found = _found(flags)
    for setting in found:
        for verb, of in flags.items():
            if setting.verb in ("", verb) and setting.name in of:
                _value(of[setting.name], setting)
    return found


def keys(known: Collection[str]) -> list[Setting]:
    """The keys of the chat that were changed; `known` are the names of all it has.

    Raises UsageError where the table makes no sense.
    """
    path = folders.config() / "config.toml"
    table = _document(path).get(_KEYS, {})
    if not isinstance(table, dict):
        raise UsageError(f"{_line(path, '', _KEYS)}: {_KEYS} is a table, [{_KEYS}].")
    found = [Setting(_KEYS, name, key, _line(path, _KEYS, name)) for name, key in _flat(table)]
    for _, name, key, where in found:
        if name not in known:
            near = nearest(name, known, "; /help in the chat shows them all.")
            raise UsageError(f"{where}: {name!r} is no key of the chat{near}")
        if not isinstance(key, str):
            raise UsageError(f'{where}: {name} cannot be {key!r}; it is a key, as "f2".')
    return found


def _flat(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """With names as they are meant: message.copy without quotes is a table to TOML."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _document(path: Path) -> dict[str, Any]:
    """The settings file, empty where there is none. Raises UsageError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(f"The settings {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"The settings {path} are not TOML: {error}.") from None


def _flags(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """By name, what takes a value and may be left out. Flags that switch cannot be taken back."""
    return {
        (action.option_strings[-1] if action.option_strings else action.dest).lstrip("-"): action
        for action in parser._actions
        if action.nargs != 0
        and not action.required
        and not isinstance(action, argparse._SubParsersAction)
    }


def _found(flags: Mapping[str, Flags]) -> list[Setting]:
    path = folders.config() / "config.toml"
    known = {name for of in flags.values() for name in of}
    return [*_from_variables(flags, known), *_from_file(path, flags, known)]


def _from_variables(flags: Mapping[str, Flags], known: set[str]) -> Iterator[Setting]:
    names = {_variable(verb, name): (verb, name) for verb, of in flags.items() for name in of}
    names |= {_variable("", name): ("", name) for name in known}
    given = {v for v in os.environ if v.startswith(_PREFIX)} - _FOREIGN
    for variable in sorted(given, key=lambda v: (not names.get(v, ("",))[0], v)):
        if _KUBERNETES.fullmatch(variable) or os.environ[variable].startswith("tcp://"):
            continue
        if variable not in names:
            near = nearest(variable, names, _ALL, alike=0.9)  # all begin alike
            raise UsageError(f"The variable {variable} sets nothing{near}")
        if os.environ[variable]:
            yield Setting(*names[variable], os.environ[variable], variable)


def _from_file(path: Path, flags: Mapping[str, Flags], known: set[str]) -> Iterator[Setting]:
    told = {key: value for key, value in _document(path).items() if key != _KEYS}
    for verb in sorted(flags):
        table = told.pop(verb, {})
        if not isinstance(table, dict):
            raise UsageError(f"{_line(path, '', verb)}: {verb} is a table, [{verb}].")
        yield from _from_table(path, verb, table, flags[verb])
    yield from _from_table(path, "", told, dict.fromkeys(sorted({*known, *flags})))


def _from_table(
    path: Path, verb: str, table: Mapping[str, Any], known: Mapping[str, object]
) -> Iterator[Setting]:
    for key, value in table.items():
        name, where = key.replace("_", "-"), _line(path, verb, key)
        if name not in known:
            what = f"{key!r} is no setting" + (f" of {verb}" if verb else "")
            raise UsageError(f"{where}: {what}{nearest(name, known, _ALL)}")
        yield Setting(verb, name, value, where)


def _value(action: argparse.Action, setting: Setting) -> Any:
    """What the flag itself would make of a setting. Raises UsageError."""
    many = isinstance(action, argparse._AppendAction)
    values = setting.value if many and isinstance(setting.value, list) else [setting.value]
    typed = not setting.source.startswith(_PREFIX)
    made = [_one(action, setting, value, typed=typed) for value in values]
    return made if many else made[0]


def _one(action: argparse.Action, setting: Setting, value: Any, *, typed: bool) -> Any:
    """One value; a file's are `typed`, those of variables are text."""
    kind: Any = action.type or str
    shown = "that" if setting.name in _SECRET else repr(value)
    wrong = UsageError(
        f"{setting.source}: {setting.name} cannot be {shown}; it must be {form(action)}."
    )
    forms: dict[Any, Any] = {str: str, int: int, float: (int, float)}
    if typed and (
        isinstance(value, bool) or not isinstance(value, forms.get(kind, (str, int, float)))
    ):
        raise wrong
    try:
        made = kind(value if kind in forms else str(value))
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"{setting.source}: {setting.name}: {error}.") from None
    except (ValueError, OverflowError):
        raise wrong from None
    if action.choices is not None and made not in action.choices:
        raise wrong
    return made


def _variable(verb: str, name: str) -> str:
    return _PREFIX + "_".join(filter(None, (verb, name))).replace("-", "_").upper()


def _line(path: Path, table: str, key: str) -> str:
    """Where a key stands, as well as can be seen without parsing: tomllib keeps no lines."""
    now = ""
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        head = re.match(r"\s*\[\s*[\"']?([\w-]+)[\"']?\s*\]", line)
        now = head[1] if head else now
        if now == table and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return f"{path}, line {number}"
    return str(path)
