import lupa.lua51
import lupa.lua53
import pytest

from bridge.errors import LocalProtocolError
from bridge.minify import field_numbers, minify, short_names

SOURCE = """
-- a comment
local agent = ...
local number, text = 3, "a -- b \\"c\\""
local function add(one, two)
  return one + two - -1
end
agent.result = add(number, #text) -- another
agent.options = { number = number, text = text .. "x", [number] = 1 }
for key, value in pairs(agent.options) do
  agent[key] = value
end
local t = { number }
function t.method(self, number) return self[1] .. number end
agent.joined = t:method(7)
return 1 .. 2
"""


@pytest.mark.parametrize("module", [lupa.lua51, lupa.lua53])
def test_smaller_source_does_the_same(module: object) -> None:
    lua = module.LuaRuntime()  # type: ignore[attr-defined]
    run = lua.eval("function(s) local t = {} return (loadstring or load)(s)(t), t end")
    results = []
    for source in (SOURCE, minify(SOURCE)):
        value, table = run(source)
        results.append(
            (value, dict(table["options"]), table["result"], table["joined"], table["number"], table["text"])
        )
    assert results[0] == results[1]
    assert results[0][2:4] == (3 + 10 + 1, "37")


def test_comments_spaces_and_long_names_go() -> None:
    small = minify(SOURCE)
    assert len(small) < 0.7 * len(SOURCE)
    assert "comment" not in small and "\n" not in small and "agent" not in small


def test_fields_of_the_named_table_become_numbers_everywhere_alike() -> None:
    sources = ["local agent = ... function agent.second(a) agent.first(a) end", "local agent = ... return agent.second"]
    fields = field_numbers(sources, "agent", ("fixed", "first"))
    assert fields == {"fixed": 1, "first": 2, "second": 3}
    assert minify(sources[0], table="agent", fields=fields) == "local a=...a[3]=function(b)a[2](b)end"
    assert minify(sources[1], table="agent", fields=fields) == "local a=...return a[3]"


@pytest.mark.parametrize("module", [lupa.lua51, lupa.lua53])
def test_functions_in_numbered_fields_work(module: object) -> None:
    source = "local agent = ... function agent.twice(n) local agent = agent return agent.sum(n, n) end"
    source += " function agent.sum(a, b) return a + b end return agent.twice(4)"
    small = minify(source, table="agent", fields=field_numbers([source], "agent", ()))
    assert "twice" not in small
    assert module.LuaRuntime().eval("function(s) return (loadstring or load)(s)({}) end")(small) == 8  # type: ignore[attr-defined]


def test_globals_and_methods_keep_their_names() -> None:
    assert (
        minify("local type, x = type, tmr.create() x:type() print(x)")
        == "local type,a=type,tmr.create()a:type()print(a)"
    )


def test_short_names_avoid_keywords_and_taken_names() -> None:
    names = short_names({"b", "c"})
    first = [next(names) for _ in range(700)]
    assert first[0] == "a" and not {"b", "c", "do", "if", "in", "or", "ow"} & set(first)
    assert len(set(first)) == len(first)


def test_source_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="cannot be read"):
        minify("local x = `")
