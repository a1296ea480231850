"""node.info"""

from __future__ import annotations

from bridge.virtual.clock import run
from tests.virtual.bench import Bench


def test_each_table_says_what_the_image_and_the_chip_say() -> None:
    async def main() -> None:
        bench = await Bench.boot(modules="node")
        hw = await bench.answer(
            "i=node.info('hw') print(i.chip_id==node.chipid(),i.flash_size,i.flash_id==node.flashid())"
        )
        assert hw == "true\t4096\ttrue"
        version = "i=node.info('sw_version') print(i.node_version_major,i.node_version_minor,i.node_version_revision)"
        assert await bench.answer(version) == "3\t0\t0"
        build = "i=node.info('build_config') print(i.ssl,i.lfs_size,i.modules,i.number_type)"
        assert await bench.answer(build) == "false\t0\tnode\tfloat"
        assert await bench.answer("=node.info('lfs').lfs_used") == "0"
        legacy = await bench.answer("=select('#',node.info())")
        assert legacy.startswith("Warning, deprecated API! node.info() without parameter.") and legacy.endswith("\n8")
        assert "invalid option 'x'" in await bench.answer("node.info('x')")
        bench.close()

    run(main())
