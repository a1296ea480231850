"""What commands print with `--json`: a pydantic model each, from which `scripts/json_schemas.py` makes `schemas/`.

class InfoOutput(Output):
    port: str
    heap: int | None

@click.command()
@json_output(InfoOutput)
def info(as_json: bool) -> None: ...
    print_json(InfoOutput(port=url, heap=heap))
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from pydantic import BaseModel, ConfigDict

from bridge.cli import COMMANDS
from bridge.cli.options import json_option
from bridge.files.names import plain

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__json_output__"


class Output(BaseModel):
    """An object that a command prints. Every field is always there; what is not known is null."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


@dataclass(frozen=True)
class JsonOutput:
    """What a command's `--json` prints.

    Args:
        model: an `Output`, or a `RootModel` of a list or a union of them.
        lines: it prints one such value a line, as things happen, and not one value in all.
    """

    model: type[BaseModel]
    lines: bool = False


def json_output(model: type[BaseModel], *, lines: bool = False) -> Callable[[F], F]:
    """`--json`, and what it prints; see `JsonOutput`. The function gets `as_json`."""

    def decorate(function: F) -> F:
        setattr(function, _MARK, JsonOutput(model, lines))
        return json_option(function)

    return decorate


def print_json(value: BaseModel, *, line: bool = False) -> None:
    """Print a command's output, or with `line` one line of it."""
    click.echo(json_text(value, indent=None if line else 2))


def json_text(value: BaseModel, *, indent: int | None = 2) -> str:
    """A command's output as JSON. Bytes of names that are no UTF-8 are written out, as in "caf\\xe9"."""
    try:
        return value.model_dump_json(indent=indent)
    except ValueError:  # it writes no bytes that are no UTF-8
        return json.dumps(_plain(value.model_dump(mode="json")), indent=indent, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return list(map(_plain, value)) if isinstance(value, list) else value


def declared_output(command: click.Command) -> JsonOutput | None:
    """What a command's `--json` prints, or None where nothing was declared."""
    found = getattr(command.callback, _MARK, None)
    return found if isinstance(found, JsonOutput) else None


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its name in words ("trace show"), groups themselves left out."""
    for name, entry in sorted(COMMANDS.items()):
        module, _, attribute = entry.target.partition(":")
        yield from _within(name, getattr(importlib.import_module(module), attribute))


def schema_of(name: str, output: JsonOutput) -> dict[str, Any]:
    """The JSON schema of a command's output.

    Args:
        name: of the command, in words.
        output: what it declares.
    """
    schema = output.model.model_json_schema(mode="serialization")
    title = f"nodemcu-bridge {name} --json" + (", each line" if output.lines else "")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def _within(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for part, inner in sorted(command.commands.items()):
            yield from _within(f"{name} {part}", inner)
    else:
        yield name, command
