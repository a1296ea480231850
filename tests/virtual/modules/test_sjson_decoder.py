"""Decoding in pieces, nulls, and tables with a metatable (app/modules/sjson.c, docs/modules/sjson.md)."""

from __future__ import annotations

from tests.virtual.asked import answer, answers


def test_pieces() -> None:
    said = answers(
        "d=sjson.decoder() print(d:write('[1,2'),pcall(d.result,d))",
        "=d:write('3,\"a')",
        "t=d:write('b\"] trailing') print(#t,t[2],t[3],d:result()==t,d:write('{')==t)",
    )
    assert said == ["nil\tfalse\tdecode not complete", "", "3\t23\tab\ttrue\ttrue"]


def test_a_fault_ends_it() -> None:
    said = answers("d=sjson.decoder() print(pcall(d.write,d,'[}'))", "=pcall(d.write,d,'[]')")
    assert said == ["false\tJSON parse error: BRACKET_MISMATCH", "false\tJSON parse error: previous call"]


def test_nulls() -> None:
    said = answers(
        """=type(sjson.decode('{"a":null}').a),sjson.encode(sjson.decode('{"a":null}'))""",
        """=sjson.decode('[null,1]',{null="N"})[1],sjson.decode('[null,1]',{})[1],#sjson.decode('[1,null]',{})""",
        """=sjson.encode({"N",1},{null="N"})""",
    )
    assert said == ['userdata\t{"a":null}', "N\tnil\t1", "[null,1]"]


def test_a_metatable_sees_each_element() -> None:
    said = answers(
        'm={__newindex=function(t,k,v) if k~="skip" then rawset(t,k,v) end end}',
        """t=sjson.decode('{"skip":1,"keep":[1,{"skip":2,"x":3}]}',{metatable=m}) k=t.keep[2]""",
        "=t.skip,k.skip,k.x",
        "=getmetatable(t)==m",
    )
    assert said == ["", "", "nil\tnil\t3", "true"]


def test_checkpath_chooses_tables() -> None:
    line = (
        'm={checkpath=function(t,p) print(#p,p[1],p[2]) return p[1]~="no" end} '
        """t=sjson.decode('{"foo":[1,[]],"no":[5],"z":1}',{metatable=m}) print(t.foo[1],t.no,t.z)"""
    )
    assert answer(line).split("\r\n") == ["0\tnil\tnil", "1\tfoo\tnil", "2\tfoo\t2", "1\tno\tnil", "1\tnil\t1"]


def test_nesting() -> None:
    assert answer("=pcall(sjson.decode,('['):rep(19)..(']'):rep(19))").startswith("true\ttable")
    assert answer("=pcall(sjson.decode,('['):rep(20)..(']'):rep(20))") == "false\tJSON parse error: LEVELS_EXCEEDED"
