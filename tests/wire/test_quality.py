import random

import pytest

from bridge.wire.quality import LineQuality


def seen(damage: float, *, size: int = 60, frames: int = 3000) -> LineQuality:
    rng = random.Random(2)
    quality = LineQuality(8)
    for _ in range(frames):
        if rng.random() < (1 - damage) ** size:
            quality.arrived(size)
        else:
            quality.lost(size)
    return quality


@pytest.mark.parametrize("damage", [0.0005, 0.002, 0.01, 0.03])
def test_the_estimate_is_near_the_truth(damage: float) -> None:
    assert damage / 2.5 < seen(damage).damage < damage * 2.5


def test_a_clean_line_gets_the_longest_frames() -> None:
    assert seen(0.0).best_size(244) == 244


def test_before_anything_was_seen_frames_are_of_middle_length() -> None:
    assert 60 < LineQuality(8).best_size(244) < 244


@pytest.mark.parametrize("damage", [0.002, 0.01, 0.03])
def test_the_best_length_carries_most(damage: float) -> None:
    def carried(size: int) -> float:
        return (size - 8) / size * (1 - damage) ** size

    quality = seen(damage, frames=200)
    best = carried(quality.best_size(244, smallest=10))
    assert best > 0.9 * max(carried(size) for size in range(10, 245))


def test_lengths_keep_their_bounds() -> None:
    bad = LineQuality(8, damage=0.2)
    for _ in range(1000):
        bad.lost(200)
    assert bad.best_size(244) < 30
    assert bad.best_size(244, smallest=50) == 50
    assert bad.damage > 0.005


def test_the_estimate_forgets() -> None:
    quality = seen(0.03)
    for _ in range(1000):
        quality.arrived(60)
    assert quality.damage < 1e-4
