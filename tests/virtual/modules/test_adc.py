"""The converter; what its pin measures comes from outside."""

from __future__ import annotations

from bridge.virtual.chip.flash import FlashMemory
from bridge.virtual.clock import run
from tests.virtual.asked import answers, error
from tests.virtual.bench import Bench, formatted_flash


def test_the_pin_reads_what_stands_at_it() -> None:
    async def main() -> list[str]:
        bench = await Bench.boot(cpu=0.0)
        said = [await bench.answer("=adc.read(0),adc.readvdd33()")]
        from bridge.virtual.modules.adc import adc_of

        adc_of(bench.firmware.system).value = 512
        said.append(await bench.answer("=adc.read(0)"))
        bench.close()
        return said

    assert run(main()) == ["0\t65535", "512"]


def with_init_data() -> FlashMemory:
    flash = formatted_flash()
    flash.program(0xF000, b"\x05" + bytes(106) + b"\x00")
    return flash


def test_the_mode_changes_at_the_next_restart() -> None:
    async def main() -> list[str]:
        bench = await Bench.boot(cpu=0.0, flash=with_init_data())
        said = [
            await bench.answer("=adc.force_init_mode(adc.INIT_ADC)"),
            await bench.answer("=adc.force_init_mode(adc.INIT_VDD33),adc.read(0)"),
        ]
        await bench.type("node.restart()", idle=1.0)
        said.append(await bench.answer("=adc.read(0),adc.readvdd33(),adc.force_init_mode(adc.INIT_VDD33)"))
        bench.close()
        return said

    assert run(main()) == ["false", "true\t0", "65535\t3300\tfalse"]


def test_wrong_arguments() -> None:
    assert error("adc.read(1)") == "adc 1 does not exist"
    assert error("adc.force_init_mode(7)") == "bad argument #1 to 'force_init_mode' (Invalid mode)"
    assert answers("=adc.INIT_ADC,adc.INIT_VDD33") == ["0\t255"]
