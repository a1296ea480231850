"""Reads a YAML file that a person wrote into a checked model; what is wrong with it is told by file, line and key."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.errors import ProfileError

#: No file that a person writes is longer, in bytes.
_LONGEST = 1 << 20

#: What stands below this key may be a secret that somebody wrote there, and is not shown.
_SECRET = "password"
#: What YAML takes for a name in a word that begins with *, & or !, as passwords may, and would show.
_NAMED = re.compile(r"(alias|anchor|tag handle|tag) ['\"].*", re.DOTALL)

M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """A model that takes no unknown keys, converts no types and is not changed once it is made."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Loader(yaml.SafeLoader):
    """YAML in which a key that is given twice is a mistake, as nobody could say which of the two is meant."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value} is there twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str) and "\0" in value:
            # No name of a port, a file or a network has one, and the system takes none.
            raise yaml.constructor.ConstructorError(None, None, "a text with a NUL in it", node.start_mark)
        if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
            # Nor can it be written as UTF-8.
            raise yaml.constructor.ConstructorError(None, None, "a text with half a surrogate pair", node.start_mark)
        return value


def read_yaml(path: Path, model: type[M], what: str) -> M:
    """Read and check one file.

    Args:
        path: the file.
        model: what it must be.
        what: its kind for messages, with an article: "a profile".

    Raises:
        ProfileError: it cannot be read or is wrong; names file, line and key.
    """
    text = _text(path)
    root = None
    try:
        root = yaml.compose(text, _Loader)
        loader = _Loader(text)
        try:
            content = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None)
        if problem is not None:
            problem = _NAMED.sub(r"\1", problem)
            if _is_in_secret(root, mark):
                problem = "a key is there twice"
        # Without the causes here, which quote the file, and so what may be secret in it, in a traceback or a log.
        if isinstance(error, yaml.constructor.ConstructorError):
            raise ProfileError(f"{path}{where.replace(' in', ',')}: {_plain(str(problem))}") from None
        raise ProfileError(f"{path} is not YAML{where}" + (f" ({_plain(problem)})" if problem else "")) from None
    except (RecursionError, ValueError, LookupError, AttributeError):
        # Brackets within brackets without end; a date that no calendar has; `!!bool`, `!!int` or `!!timestamp` before
        # something else, by which PyYAML stumbles.
        raise ProfileError(f"{path} is not YAML of {what}") from None
    if not isinstance(content, dict):
        raise ProfileError(f"{path} is not {what}: it must be a list of `key: value`")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ProfileError(_mistake(path, root, error, what)) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
    except ValueError as error:  # a NUL in it
        raise ProfileError(f"{str(path)!r} is no name of a file", remedy="Check it.") from error
    except OSError as error:
        raise ProfileError(f"{path} cannot be read ({error.strerror})", remedy="Check the file's name.") from error
    if len(data) > _LONGEST:
        raise ProfileError(f"{path} is longer than {_LONGEST} bytes", remedy="Check that it is the file you mean.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path} is not text in UTF-8", remedy="Check that it is the file you mean.") from error


def _mistake(path: Path, root: yaml.Node | None, error: ValidationError, what: str) -> str:
    """The first mistake, in words, with the line of its key."""
    mistakes = error.errors(include_url=False)
    # A key that was mistyped is unknown, and the right one missing: the first is what helps.
    first = next((each for each in mistakes if each["type"] == "extra_forbidden"), mistakes[0])
    location = [part for part in first["loc"] if part != "[key]"]
    key = _plain(".".join(str(part) for part in location))
    line = _line(root, location)
    where = f"{path}, line {line}" if line else f"{path}"
    if first["type"] == "extra_forbidden":
        if _SECRET in location:
            inside = _plain(".".join(map(str, location[: location.index(_SECRET) + 1])))
            return f"{where}: a key below {inside} is not one of {what}"
        return f"{where}: {key} is not a key of {what}"
    if first["type"] == "missing":
        return f"{where}: {key} is missing"
    words = _plain(first["msg"].removeprefix("Value error, "))
    return f"{where}: {key}: {words}" if key else f"{where}: {words}"


def _plain(text: str) -> str:
    """Without what could play with a terminal: the file may be somebody else's."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _line(root: yaml.Node | None, location: list[Any]) -> int | None:
    """The line in which the key at a place of the content stands, or as much of the way to it as there is."""
    node, line = root, None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _is_in_secret(node: yaml.Node | None, mark: yaml.Mark | None, above: tuple[yaml.Node, ...] = ()) -> bool:
    """True if a mark is below the key of a secret."""
    if mark is None or not isinstance(node, yaml.CollectionNode) or node in above:  # an alias of what it is in
        return False
    for item in node.value:
        key, value = item if isinstance(item, tuple) else (None, item)
        if value.start_mark.index <= mark.index < value.end_mark.index:
            return (key is not None and key.value == _SECRET) or _is_in_secret(value, mark, (*above, node))
    return False
