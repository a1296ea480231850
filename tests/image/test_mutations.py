"""Wrong images, by the hundred: each is told by its defect, none by a traceback."""

from __future__ import annotations

import random
import re
from functools import cache

import pytest

from bridge.errors import ImageError
from bridge.image import ImagePart, check_image
from bridge.virtual.chip.make_image import Recipe, make
from tests.image import mutations, stock_shape
from tests.image.mutations import Mutation, byte

SEED = 20_240_225
NAMES = tuple(stock_shape.MODULES.split(","))


@cache
def bases() -> dict[str, bytes]:
    """Whole images: the project's own stand-ins, and two in the shape of stock builds."""
    return {
        "stand-in": make(Recipe(NAMES)),
        "stand-in with tls": make(Recipe((*NAMES, "tls"), lua="5.3", number="double")),
        "stand-in as built": make(Recipe(NAMES, fresh=True)),
        "stand-in of 2.2.1": make(Recipe(NAMES, firmware="2.2.1", number="integer")),
        "stock shape of 3.0": stock_shape.image(),
        "stock shape of 2.2": stock_shape.image(release=2),
    }


@cache
def wrong() -> list[Mutation]:
    """All of them, always the same."""
    rng = random.Random(SEED)
    found = list(mutations.foreign(rng))
    for name, data in bases().items():
        sealed, table = name.startswith("stand-in"), "2.2" not in name
        each = list(mutations.of_the_boot_part(data, rng)) if name in ("stand-in", "stock shape of 3.0") else []
        # The last step of a table that was set up, and the words before the last address, are not certain.
        certain = len(data) if sealed or name == "stock shape of 3.0" else len(data) - 128
        each += mutations.of_the_code(data, rng, end=certain, table=table, sealed=sealed)
        if name in ("stand-in as built", "stock shape of 3.0"):
            each += mutations.of_the_table(data)
        if name == "stock shape of 3.0":
            each += mutations.of_the_banner(data)
        found += [Mutation(f"{name}: {one.name}", one.data, one.said) for one in each]
    return found


def test_whole_images_pass() -> None:
    for name, data in bases().items():
        facts = check_image([ImagePart(0, data, "firmware.bin")])
        assert set(NAMES) <= set(facts.modules), name
        assert facts.stand_in == name.startswith("stand-in")


def test_each_wrong_image_is_told_by_its_defect() -> None:
    assert len(wrong()) >= 500
    silent, vague = [], []
    for mutation in wrong():
        try:
            check_image([ImagePart(0, mutation.data, "firmware.bin")])
        except ImageError as error:
            text = str(error)
            sentence = "firmware.bin" in text and len(text.splitlines()) == 1 and error.remedy is not None
            if not re.search(mutation.said, text) or not sentence:
                vague.append(f"{mutation.name}: {text}")
        else:
            silent.append(mutation.name)
    assert silent == [] and vague == [], f"seed {SEED}"


@pytest.mark.parametrize("name", ["stand-in", "stock shape of 3.0", "stock shape of 2.2"])
def test_noise_upon_noise_ends_in_a_sentence_or_passes(name: str) -> None:
    rng = random.Random(SEED)
    base = bases()[name]
    for _ in range(150):
        data = base
        for _ in range(rng.randrange(1, 5)):
            # Mostly in the heads, where a byte says how much to read.
            at = rng.choice((rng.randrange(64), rng.randrange(0x10000, 0x10100), rng.randrange(len(data))))
            data = byte(data, at, rng.randrange(256)) if at < len(data) else data
        data = data[: rng.choice((len(data), rng.randrange(len(data))))]
        try:
            check_image([ImagePart(0, data, "firmware.bin")])
        except ImageError as error:
            assert len(str(error).splitlines()) == 1


def test_bytes_without_any_order_are_no_image() -> None:
    rng = random.Random(SEED)
    for length in (1, 2, 8, 16, 24, 100, 5000, 70_000):
        for start in (b"", b"\xe9", b"\xe9\x01", b"\xe9\x03\x02\x40"):
            with pytest.raises(ImageError):
                check_image([ImagePart(0, (start + rng.randbytes(length))[:length], "firmware.bin")])
