"""The VM: fresh, clean, and given back."""

from __future__ import annotations

import gc
import sys

import pytest

from bridge.virtual.lua import vm as vm_module
from bridge.virtual.lua.vm import Vm, describe, sweep


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_values_cross_as_the_contract_says(version: str) -> None:
    vm = Vm(version)
    assert vm.runtime.eval(b'"a\\0b"') == b"a\0b"
    assert vm.runtime.eval(b"3") == 3 and isinstance(vm.runtime.eval(b"3"), int)
    assert vm.runtime.eval(b"0.5") == 0.5
    assert describe(vm.table()) == "table"
    assert describe(vm.runtime.eval(b"print")) == "function"
    assert describe(vm.runtime.eval(b"coroutine.create(function() end)")) == "thread"
    assert describe(vm.runtime.eval(b"newproxy and newproxy() or io.stdout")) == "userdata"


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_compile_gives_the_compilers_message(version: str) -> None:
    dump, message = Vm(version).compile(b"x =", b"=stdin")
    assert dump is None
    assert message.startswith(b"stdin:1: unexpected symbol near ")


def test_is_lua_knows_values_of_a_vm() -> None:
    vm = Vm("5.1")
    assert vm.is_lua(vm.table()) and vm.is_lua(vm.runtime.eval(b"print"))
    assert not vm.is_lua(print) and not vm.is_lua(b"")


def test_a_closed_vm_goes_when_its_last_value_goes() -> None:
    vm = Vm("5.3")
    runtime, function = vm.runtime, vm.runtime.eval(b"function() return 7 end")
    vm.close()
    assert function() == 7
    assert any(runtime is closed for closed in vm_module._closed)
    references = sys.getrefcount(runtime)
    del function
    gc.collect()
    assert sys.getrefcount(runtime) < references
    del runtime
    sweep()
    assert vm_module._closed == [] or all(sys.getrefcount(closed) > 2 for closed in vm_module._closed)
