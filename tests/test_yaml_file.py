from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from bridge.errors import ProfileError
from bridge.yaml_file import Strict, read_yaml


class Inner(Strict):
    size: int = 1


class Outer(Strict):
    name: str
    rows: list[Inner] = []


def test_what_is_right(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: x\nrows: [{size: 0x10}]\n")
    assert read_yaml(path, Outer, "a list") == Outer(name="x", rows=[Inner(size=16)])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"name: x\nrows:\n- {size: 1}\n- {size: 1, colour: 2}\n", r"line 4: rows\.1\.colour is not a key of a list"),
        (b"name: x\nrows: [1]\n", r"line 2: rows\.0: "),
        (b"name: \xff\n", "not text in UTF-8"),
        (b"#" * (1 << 20) + b"##", "is longer than"),
        (b"name: x\nrows: [2024-99-99]\n", "is not YAML|line 2"),
        (b"a: &a [x]\nb: *c\n", "is not YAML in line 2"),
        (b'name: "x\\0y"\n', "line 1: a text with a NUL"),
        (b'name: x\n"row\\0s": []\n', "line 2: a text with a NUL"),
        (b'name: "x\\ud800y"\n', "line 1: a text with half a surrogate pair"),
        (b"? [1, 2]\n: x\n", "a.yaml.*is not|a.yaml"),
        *[
            (b"name: !!%s\n" % word, "a.yaml is not YAML of a list")
            for word in (b"bool secret", b"timestamp secret", b'int ""', b'float ""')
        ],
        (b"rows: &a [*a, {size: 1, size: 2}]\n", "line 1: size is there twice"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_key(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    with pytest.raises(ProfileError, match=words) as caught:
        read_yaml(path, Outer, "a list")
    assert str(path) in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_aliases_that_unfold_without_end_end(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    path.write_text("\n".join(lines))
    with pytest.raises(ProfileError, match="a0 is not a key"):
        read_yaml(path, Outer, "a list")


@pytest.mark.parametrize(
    "line",
    ["password: hunter2: x", "password: [hunter2", "password: !!bool hunter2", "password: *hunter2", "name: [hunter2]"],
)
def test_what_is_in_the_file_is_in_no_traceback(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(line + "\n")
    with pytest.raises(ProfileError) as caught:
        read_yaml(path, Outer, "a list")
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
