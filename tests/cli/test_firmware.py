from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from bridge.errors import PortNotFound
from tests.cli.invoke import BOARD, invoke
from tests.homeless import be_homeless
from tests.image.test_mutations import bases, wrong
from tests.images import image

SCHEMAS = Path(__file__).parent.parent.parent / "schemas"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NODEMCU_BRIDGE_FIRMWARE", str(tmp_path / "images"))
    return tmp_path


@pytest.fixture
def file(folder: Path) -> Path:
    path = folder / "firmware.bin"
    path.write_bytes(image())
    return path


def test_what_is_needed_and_what_there_is(capfd: pytest.CaptureFixture[str], file: Path) -> None:
    code, out, err = invoke(capfd, "firmware", "catalog")
    assert (code, err) == (0, "")
    assert "net   needed  sockets" in out and "lua51-float" in out and "none; add one with" in out
    invoke(capfd, "firmware", "add", str(file), "--name", "mine")
    content = json.loads(invoke(capfd, "firmware", "catalog", "--json")[1])
    assert {module["name"]: module["needed"] for module in content["modules"]}["net"]
    assert [entry["name"] for entry in content["images"]] == ["mine"] and content["options"]["debug"] is False


def test_how_to_get_one(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = invoke(capfd, "firmware", "how", "--no-tls", "--module", "mqtt,I2C", "--lua", "5.3")
    assert code == 0 and "Modules (11): adc, file, gpio, i2c, mqtt, net, node, ow, tmr, uart, wifi" in out
    assert "Lua 5.3; TLS/SSL off" in out
    code, _, err = invoke(capfd, "firmware", "how", "--lua", "5.3", "--number", "integer")
    assert code == 2 and "not tried with Lua 5.3 integer" in err


def test_an_image_is_taken_apart(capfd: pytest.CaptureFixture[str], file: Path) -> None:
    code, out, err = invoke(capfd, "firmware", "inspect", str(file))
    assert (code, err) == (0, "")
    rows = dict(line.split(None, 1) for line in out.splitlines())
    assert (
        rows["modules"] == "file,gpio,net,node,ow,tmr,uart,wifi" and rows["Lua"] == "5.1" and rows["numbers"] == "float"
    )
    assert rows["TLS"] == "off" and rows["built"] == "2024-02-25 01:33" and rows["version"] == "3.0.0.0"
    assert rows["flash"] == "dio, 40m, 4096 KB by its header" and "SHA-256" in rows["firmware.bin"]
    assert "stand-in" in rows["note"] and "segment" in rows


def test_each_wrong_image_ends_in_one_sentence(capfd: pytest.CaptureFixture[str], folder: Path) -> None:
    path = folder / "firmware.bin"
    schema = json.loads((SCHEMAS / "firmware-inspect.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for number, mutation in enumerate(wrong()):
        path.write_bytes(mutation.data)
        code, out, err = invoke(capfd, "firmware", "inspect", str(path), *(["--json"] if number % 2 else []))
        assert code == 2 and "Traceback" not in out + err, mutation.name
        if number % 2:
            content = json.loads(out)
            validator.validate(content)
            assert content["defect"] and err == "", mutation.name
            # What is whole and does not suit is told all the same.
            assert content["image"] is None or content["image"]["suits"] is False
        else:
            assert len(err.splitlines()) <= 1 and "firmware.bin" in err + out, mutation.name
    for data in bases().values():
        path.write_bytes(data)
        assert invoke(capfd, "firmware", "inspect", str(path))[0] == 0


def test_images_that_are_kept(capfd: pytest.CaptureFixture[str], file: Path) -> None:
    code, out, _ = invoke(capfd, "firmware", "add", str(file))
    assert code == 0 and out.startswith("Added nodemcu-3.0.0-lua5.1-float, in ")
    code, out, _ = invoke(capfd, "firmware", "add", str(file), "--json")
    assert code == 0 and json.loads(out)["new"] is False
    assert "nodemcu-3.0.0-lua5.1-float  " in invoke(capfd, "firmware", "list")[1]
    assert invoke(capfd, "firmware", "inspect", "nodemcu-3.0.0-lua5.1-float")[0] == 0
    code, out, _ = invoke(capfd, "firmware", "remove", "nodemcu-3.0.0-lua5.1-float")
    assert code == 0 and file.exists()
    assert json.loads(invoke(capfd, "firmware", "list", "--json")[1]) == []
    code, _, err = invoke(capfd, "firmware", "remove", "nodemcu-3.0.0-lua5.1-float")
    assert code == 2 and "no image nodemcu-3.0.0" in err and len(err.splitlines()) == 1


def test_a_bad_image_is_not_kept(capfd: pytest.CaptureFixture[str], file: Path) -> None:
    file.write_bytes(image("net,node"))
    code, _, err = invoke(capfd, "firmware", "add", str(file))
    assert code == 2 and "lacks the module uart and tmr" in err and "firmware how" in err
    assert json.loads(invoke(capfd, "firmware", "list", "--json")[1]) == []


def test_a_folder_with_something_else_in_it(capfd: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "images" / "stray").mkdir(parents=True)
    code, out, err = invoke(capfd, "firmware", "list")
    assert code == 0 and "none" in out and "stray holds no image" in err


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ("", 0, "It suits the bridge."),
        ("&modules=node,tmr,uart", 1, "NEEDED   net: nothing for the link to carry"),
        ("&firmware=2.2.1", 0, "as far as it says"),
        ("&modules=net,node,tmr,uart", 0, "lacks    tls: TLS is made by the host"),
    ],
)
def test_what_runs_on_a_board(capfd: pytest.CaptureFixture[str], options: str, code: int, words: str) -> None:
    done, out, err = invoke(capfd, "firmware", "check", "--port", BOARD + options)
    assert (done, err) == (code, "") and words in out
    content = json.loads(invoke(capfd, "firmware", "check", "--port", BOARD + options, "--json")[1])
    schema = json.loads((SCHEMAS / "firmware-check.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(content)
    assert content["fit"]["suits"] is (code == 0) and content["firmware"]["port"] == BOARD + options


def test_a_port_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = invoke(capfd, "firmware", "check", "--port", "/dev/nosuchport")
    assert code == PortNotFound.exit_code and "/dev/nosuchport" in err and len(err.splitlines()) == 1


def test_without_a_home_folder_there_are_none_and_one_sentence_says_why_none_can_be_added(
    capfd: pytest.CaptureFixture[str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_homeless(monkeypatch)
    assert invoke(capfd, "firmware", "list")[::2] == (0, "")
    code, _, said = invoke(capfd, "flash", "mine", "--port", BOARD)
    assert code == 2 and "no image of the catalog is called mine" in said
    code, _, said = invoke(capfd, "firmware", "add", str(file))
    assert code == 2 and said == (
        "nodemcu-bridge: This user has no home folder to keep files in. "
        "Set HOME, or XDG_DATA_HOME to a folder that can be written.\n"
    )
