from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.errors import ImageError, UsageError
from bridge.firmware.catalog import Catalog, load_images
from tests.image import stock_shape
from tests.images import image


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.setenv("NODEMCU_BRIDGE_FIRMWARE", str(tmp_path / "images"))
    return Catalog()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "record.json"  # a name as bad as any
    path.write_bytes(image())
    return path


def test_nothing_is_made_before_an_image_is_added(catalog: Catalog) -> None:
    assert catalog.entries() == ([], []) and not catalog.folder.exists()


def test_an_image_is_kept_with_what_is_known_of_it(catalog: Catalog, file: Path) -> None:
    entry, new = catalog.add([file])
    assert new and entry.name == "nodemcu-3.0.0-lua5.1-float"
    assert entry.image.id == hashlib.sha256(image()).hexdigest()
    file.unlink()
    assert catalog.entries() == ([entry], [])
    (part,) = catalog.load(entry.name)
    assert (part.offset, part.data) == (0, image())
    assert catalog.find(entry.image.id[:6].upper()) == entry
    assert sorted(path.name for path in Path(entry.folder).iterdir()) == ["0x00000.bin", "record.json"]


def test_the_same_bytes_are_kept_once(catalog: Catalog, file: Path, tmp_path: Path) -> None:
    entry, _ = catalog.add([file], "mine")
    copy = tmp_path / "copy.bin"
    copy.write_bytes(image())
    assert catalog.add([copy], "another") == (entry, False)
    assert len(catalog.entries()[0]) == 1 and len(list(catalog.folder.iterdir())) == 1


def test_two_files_of_a_local_build(catalog: Catalog, tmp_path: Path) -> None:
    data = stock_shape.image()
    paths = [tmp_path / "0x10000.bin", tmp_path / "0x00000.bin"]
    paths[1].write_bytes(data[:0x10000])
    paths[0].write_bytes(data[0x10000:])
    entry, _ = catalog.add(paths)
    assert [(part.offset, part.data) for part in catalog.load(entry.name)] == [
        (0, data[:0x10000]), (0x10000, data[0x10000:]),
    ]  # fmt: skip


def test_names(catalog: Catalog, tmp_path: Path) -> None:
    for number, modules in enumerate(("net,node,tmr,uart", "file,net,node,tmr,uart", "net,node,ow,tmr,uart")):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(stock_shape.image(modules=modules))
        catalog.add([path], "mine" if number == 2 else None)
    names = [entry.name for entry in catalog.entries()[0]]
    assert names[0] == "mine" and names[1] == "nodemcu-3.0.0-lua5.1-float" and names[2].startswith(names[1] + "-")
    other = tmp_path / "other.bin"
    other.write_bytes(stock_shape.image(seed=2))
    for name, words in (("mine", "There is an image mine"), ("../x", "cannot be the name"), ("", "cannot be the name")):
        with pytest.raises(UsageError, match=words):
            catalog.add([other], name)
    with pytest.raises(UsageError, match=r"no image sparrow.*Known: mine, nodemcu"):
        catalog.find("sparrow")


def test_what_is_no_image_is_not_kept(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "bad.bin"
    for data, words in (
        (image()[:-5000], "cut short"),
        (image("net,node"), "lacks the module uart and tmr"),
        (b"", "empty"),
    ):
        path.write_bytes(data)
        with pytest.raises(ImageError, match=words):
            catalog.add([path])
    with pytest.raises(ImageError, match="cannot be read"):
        catalog.add([tmp_path / "none.bin"])
    assert catalog.entries() == ([], []) and not catalog.folder.exists()


def test_a_copy_that_changed_is_not_used(catalog: Catalog, file: Path) -> None:
    entry, _ = catalog.add([file])
    stored = Path(entry.folder) / "0x00000.bin"
    stored.write_bytes(image()[:-1] + b"x")
    with pytest.raises(ImageError, match="is not what was added.*firmware remove"):
        catalog.load(entry.name)
    stored.unlink()
    with pytest.raises(ImageError, match="cannot be read"):
        catalog.load(entry.name)
    catalog.remove(entry.name)
    assert catalog.entries() == ([], [])
    assert catalog.add([file])[1]


def test_what_does_not_belong_there_is_named_and_left(catalog: Catalog, file: Path) -> None:
    entry, _ = catalog.add([file])
    (catalog.folder / "stray").mkdir()
    (catalog.folder / ".half").mkdir()
    (catalog.folder / "notes.txt").write_text("mine")
    other = catalog.folder / "other"
    other.mkdir()
    (other / "record.json").write_text(json.dumps({"name": "x"}))
    entries, mistakes = catalog.entries()
    assert entries == [entry]
    assert len(mistakes) == 2 and "stray holds no image" in mistakes[1] and "is not a record" in mistakes[0]


def test_a_folder_that_is_half_there_is_replaced(catalog: Catalog, file: Path) -> None:
    half = catalog.folder / hashlib.sha256(image()).hexdigest()[:16]
    half.mkdir(parents=True)
    (half / "0x00000.bin").write_bytes(b"half")
    entry, new = catalog.add([file])
    assert new and catalog.load(entry.name)[0].data == image()


def test_two_programs_at_the_same_time_keep_one(catalog: Catalog, file: Path) -> None:
    command = [sys.executable, "-m", "bridge.cli", "firmware", "add", str(file)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ended = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * 4, ended
    assert len(catalog.entries()[0]) == 1
    assert [path for path in catalog.folder.iterdir() if path.name.startswith(".")] == []
    assert catalog.load(catalog.entries()[0][0].name)[0].data == image()


def test_one_that_another_program_added_meanwhile_stays(
    catalog: Catalog, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Catalog()
    renamed = os.rename

    def late(fresh: Path, folder: Path) -> None:
        monkeypatch.setattr(os, "rename", renamed)
        other.add([file], "theirs")
        renamed(fresh, folder)

    monkeypatch.setattr(os, "rename", late)
    entry, new = catalog.add([file], "mine")
    assert (entry.name, new) == ("theirs", False) and catalog.entries()[0] == [entry]
    assert [path.name for path in catalog.folder.iterdir()] == [hashlib.sha256(image()).hexdigest()[:16]]


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    blocked = Catalog(file / "below")
    with pytest.raises(UsageError, match="cannot be written.*NODEMCU_BRIDGE_FIRMWARE"):
        blocked.add([file])


def test_a_folder_that_cannot_be_read() -> None:
    with pytest.raises(UsageError, match=r"cannot be read \(File name too long\).*NODEMCU_BRIDGE_FIRMWARE"):
        Catalog(Path("/" + "x" * 5000)).entries()


def test_images_by_file_or_by_name(
    catalog: Catalog, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, _ = catalog.add([file], "mine")
    assert load_images(["mine"])[0].data == image() == load_images([file])[0].data
    assert load_images([file.name], folder=tmp_path)[0].data == image()
    with pytest.raises(
        ImageError, match="sparrow cannot be read .* no image of the catalog is called sparrow.*Known: mine"
    ):
        load_images(["sparrow"])
    with pytest.raises(ImageError, match="cannot be read"):
        load_images([str(tmp_path / "none.bin")])
    # A file of the name of an image is a file.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").write_bytes(b"other")
    assert load_images(["mine"])[0].data == b"other"
    assert entry.name == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="has no such names")
def test_a_name_of_a_file_that_is_no_text(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.bin"
    path.write_bytes(image())
    entry, _ = catalog.add([path])
    assert entry.image.files[0].name == "caf\\xe9.bin" and catalog.entries() == ([entry], [])
