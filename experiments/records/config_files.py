"""YAML files to and from frozen, typed settings; whatever is wrong is said with file, key and near miss.

PyYAML reads YAML 1.1, where `3e-4` is text, `off` is false, `010` is eight and `1:30` is ninety. The
reader here knows the plain words of YAML 1.2 only. Nothing is evaluated and no object is built.
"""

import re
import textwrap
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator

from twins.files import UnfitFile, atomic_write_text, read_file
from twins.words import near_miss


class ConfigError(ValueError):
    """A setting that cannot be used. The message is meant for the user and needs no traceback."""


class Config(BaseModel):
    """Base of all settings: frozen, without unknown keys, without nan or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _truth_is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        wants_bool = cls.model_fields[str(info.field_name)].annotation is bool
        values = value if isinstance(value, list | tuple) else [value]
        if not wants_bool and any(isinstance(one, bool) for one in values):
            raise ValueError("true and false are no values of this setting")
        return value


_Settings = TypeVar("_Settings", bound=Config)


MOST_BYTES, MOST_VALUES, DEEPEST = 1 << 16, 5000, 20
"""Limits of a file of settings: its size, its keys and values together, and how deeply they are nested."""


class _Reader(yaml.SafeLoader):
    """PyYAML's safe loader with the plain scalars of YAML 1.2, and an error for a key given twice.

    Neither tags (`!!set`) nor aliases (`*name`) are taken: a few lines of aliases stand for any number of values.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}
    _depth = _values = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next value, if it is plain and the file is not larger than allowed."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        fault = ""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            fault = "anchors and aliases (& and *) are not taken; write the value out"
        elif getattr(event, "tag", None) is not None:
            fault = f"the tag {event.tag[:60]} is not taken; write a plain value"
        self._values += 1
        self._depth += 1
        if self._values > MOST_VALUES or self._depth > DEEPEST:
            fault = f"more than {MOST_VALUES} values, or nested in more than {DEEPEST} levels"
        if fault:
            raise yaml.MarkedYAMLError(problem=fault, problem_mark=event.start_mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping of a node; every key must be text and occur once."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                scalar = isinstance(key, yaml.ScalarNode)
                what = f"key {key.value!r} is given twice" if scalar else "a key must be a plain word"
                raise yaml.MarkedYAMLError(problem=what, problem_mark=key.start_mark)
            seen.add(key.value)
        return {str(key): value for key, value in super().construct_mapping(node, deep).items()}


class _Writer(yaml.SafeDumper):
    """Quotes what YAML 1.1 or 1.2 would take for something else than text."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out instead of referring to one another."""
        return True


_FLOAT = re.compile(
    r"[-+]?(?:\d[\d_]*\.\d*|\.\d+|\d[\d_]*(?=[eE]))(?:[eE][-+]?\d+)?$"
    r"|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"
)
for _tag, _pattern, _first in (
    ("null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("int", re.compile(r"[-+]?(?:0|[1-9][\d_]*)$"), list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
):
    _Reader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, _first)
_Writer.add_representer(
    list, lambda writer, data: writer.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
)
_Writer.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def load_yaml(path: str | Path) -> dict[str, Any]:
    """The keys and values of a YAML file. Raises ConfigError naming file and line."""
    path = Path(path)
    try:
        text = read_file(path, MOST_BYTES).decode()
    except FileNotFoundError:
        beside = [other.name for other in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise ConfigError(f"no file {path}{near_miss(path.name, beside)}") from None
    except (OSError, UnfitFile, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as text in UTF-8: {error}") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """The keys and values of a YAML text; `source` names it in errors (ConfigError)."""
    data = _parse(text, source)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{source}: expected lines 'name: value', found {_brief(data)}")
    return data


def _parse(text: str, source: str) -> Any:
    try:
        return deepcopy(_loaded(text))
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{source}{line}: {error.problem or 'not valid YAML'}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{source} is not valid YAML: {error}") from None


@lru_cache(64)
def _loaded(text: str) -> Any:
    """What a YAML text holds. PyYAML takes 10 ms a file, and a study asks for the same few protocols at every cell."""
    return yaml.load(text, _Reader)  # a SafeLoader


def build(kind: type[_Settings], data: Mapping[str, Any], source: str = "settings") -> _Settings:
    """Settings of this kind from plain values; `source` says in errors (ConfigError) where they came from."""
    try:
        return kind.model_validate(dict(data))
    except ValidationError as error:
        found = error.errors(include_url=False)
        lines = [_explain(kind, one) for one in found if one["type"] != "missing"]
        if missing := [".".join(map(str, one["loc"])) for one in found if one["type"] == "missing"]:
            be, have = ("is", "it has") if len(missing) == 1 else ("are", "they have")
            lines.insert(0, f"{', '.join(missing)} {be} missing; {have} no default")
        raise ConfigError("\n".join(f"{source}: {line}" for line in lines)) from None


def apply_overrides(config: _Settings, items: Iterable[str], given: str = "--set") -> _Settings:
    """The same settings with some changed: items "name=value" (ConfigError if wrong, which names the
    flag that they were `given` with).

    A name may begin with the kind of settings ("train.") and leave out the section where only one section
    has it: train.learning_rate=3e-4 and hyperparams.learning_rate=3e-4 are the same.
    """
    data, kind = config.model_dump(mode="json"), type(config)
    for item in items:
        name, equals, text = item.partition("=")
        name = name.strip()
        if not equals or not name:
            raise ConfigError(f"{given} {item!r}: expected NAME=VALUE, such as seed=3")
        *sections, leaf = _resolve(kind, name)
        inner = data
        for section in sections:
            inner = inner[section]
        inner[leaf] = _parse(text, f"{given} {item[:80]}")
    return build(kind, data, given)


def _resolve(kind: type[Config], name: str) -> list[str]:
    """Where a setting lies, as a list of keys."""
    known = _names(kind)
    short = name.removeprefix(kind.__name__.removesuffix("Config").lower() + ".")
    matches = [path for path in known if path == short] or [
        path for path in known if "." not in short and path.split(".")[-1] == short
    ]
    if len(matches) != 1:
        raise ConfigError(f"--set {name}: unknown setting{near_miss(short, known)}; --print-config shows them all")
    return matches[0].split(".")


def _names(kind: type[Config], prefix: str = "") -> list[str]:
    """Dotted names of all settings, sections included."""
    names = []
    for name, field in kind.model_fields.items():
        names.append(prefix + name)
        section = _section(field.annotation)
        names += _names(section, f"{prefix}{name}.") if section else []
    return names


def _section(annotation: Any) -> type[Config] | None:
    """The settings that this type of a field is, None for a plain value."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, Config) else None


def _explain(kind: type[Config], error: Any) -> str:
    """One line about one of pydantic's findings: where, what was given, what is allowed."""
    path, given = ".".join(map(str, error["loc"])), _brief(error["input"])
    message: str = error["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if error["type"] == "extra_forbidden":
        section = kind
        for key in error["loc"][:-1]:
            section = _section(section.model_fields[key].annotation) or section
        word, place = str(error["loc"][-1]), ".".join(map(str, error["loc"][:-1]))
        hint = near_miss(word, _names(section)) or f". Known are {', '.join(section.model_fields)}"
        return f"unknown key {word!r}{f' in {place}' if place else ''}{hint}"
    if error["type"] == "literal_error":
        words = re.findall(r"'([^']+)'", message)
        hint = near_miss(str(error["input"]), words) or "."
        return f"{path}: {given} given{hint} Allowed: {', '.join(words)}"
    if error["type"] == "model_type":
        return f"{path}: {given} given; this is a section and needs lines 'name: value'"
    if error["type"] == "path_type":
        return f"{path}: {given} given; a path is needed"
    if not path:
        return message
    return f"{path}: {given} given; {message}"


def _brief(value: Any) -> str:
    return textwrap.shorten(repr(value), 60, placeholder=" ...")


def dump_yaml(config: Config) -> str:
    """Settings as YAML text which `build(kind, parse_yaml(text, ...))` turns into the identical settings."""
    return _dump(config.model_dump(mode="json"))


def _dump(data: Any) -> str:
    return yaml.dump(data, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=100)


def show(config: Config) -> str:
    """Like `dump_yaml`, with the meaning of every setting as a comment above it; for --print-config."""
    values, lines = config.model_dump(mode="json"), []
    for name, field in type(config).model_fields.items():
        if field.description:
            lines += textwrap.wrap(field.description, 96, initial_indent="# ", subsequent_indent="# ")
        value = getattr(config, name)
        if isinstance(value, Config):
            lines += [f"{name}:", textwrap.indent(show(value).rstrip("\n"), "  ")]
        else:
            lines.append(_dump({name: values[name]}).rstrip("\n"))
    return "\n".join(lines) + "\n"


def descriptions(kind: type[Config]) -> dict[str, str]:
    """What each setting means, by its dotted name, with its default; the texts of --help."""
    texts: dict[str, str] = {}
    for name, field in kind.model_fields.items():
        if section := _section(field.annotation):
            texts |= {f"{name}.{key}": text for key, text in descriptions(section).items()}
        else:
            default = "" if field.is_required() else f" (default: {_plain(field.default)})"
            texts[name] = f"{field.description or ''}{default}"
    return texts


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else "none" if value is None else str(value)


def save(config: Config, path: str | Path) -> None:
    """Write the settings, each with its meaning, to a file that `load_yaml` reads."""
    atomic_write_text(path, show(config))
