from __future__ import annotations

import typing

import pytest

from bridge.board import Board
from bridge.mirror.modules import node_info


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("hw", node_info.Hardware),
        ("sw_version", node_info.SoftwareVersion),
        ("build_config", node_info.BuildConfig),
        ("lfs", node_info.LFSInfo),
    ],
)
async def test_the_groups_have_the_keys_that_the_types_name(board: Board, group: str, kind: type) -> None:
    found = await board.node.info(group)
    assert {key: type(value) for key, value in found.items()} == typing.get_type_hints(kind)


async def test_partitions_and_options_of_the_start(board: Board) -> None:
    assert set(await board.node.getpartitiontable()) == set(node_info.PartitionTable.__annotations__)
    assert set(await board.node.startup()) == set(node_info.Startup.__annotations__) - {"command"}
