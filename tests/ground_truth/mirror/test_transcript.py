from tests.ground_truth.mirror.transcript import console_lines, normal, peer_view, steps_of

BANNER = "\r\n\r\nNodeMCU 3.0.0.0 \r\n\tbranch: release\r\ncannot open init.lua: \r\n> "


def test_what_the_console_adds_is_left_out() -> None:
    error = "Lua error: \tstdin:1: specify port\r\nstack traceback:\r\n\t[C]: in function 'connect'\r\n\t[C]: ?\r\n> "
    assert console_lines(f"c:connect(0)\r\n{error}", "c:connect(0)") == ["error: stdin:1: specify port"]
    assert console_lines("go\r\nEV dns\t1.2.3.4\r\n> EV connection\r\n", "go") == ["EV dns\t1.2.3.4", "EV connection"]
    panic = f"> PANIC: unprotected error in call to Lua API (stdin:1: in sent){BANNER}"
    assert console_lines(panic, "") == ["PANIC: stdin:1: in sent", "<restarted>"]


def test_what_differs_from_boot_to_boot_is_masked_and_nothing_else() -> None:
    assert normal(["error: stdin:1: specify port", "false\tlua:1: not connected"]) == [
        "error: specify port", "false\tnot connected",
    ]  # fmt: skip
    assert normal(["5228\t10.77.0.2", "7001\t10.77.0.1", "8080\t0.0.0.0"]) == [
        "<port>\t10.77.0.2", "7001\t10.77.0.1", "8080\t0.0.0.0",
    ]  # fmt: skip
    assert normal(["rec\t-8\t7.618634", "ret\t7001\t0.0.0.0", "41480"]) == [
        "rec\t-8\t<time>", "ret\t7001\t0.0.0.0", "<heap>",
    ]  # fmt: skip


def test_of_several_sent_the_last_is_left() -> None:
    assert normal(["EV sent", "true", "EV sent", "EV receive\t1\tx"]) == ["true", "EV sent", "EV receive\t1\tx"]
    assert normal(["EV connection", "EV connection"]) == ["EV connection", "EV connection"]


def test_the_order_of_pairs_says_nothing() -> None:
    assert normal(["b", "a"], "for k in pairs(t) do print(k) end") == ["a", "b"]
    assert normal(["b", "a"], "for _, n in ipairs{1} do print(n) end") == ["b", "a"]


def test_steps_keep_their_numbers() -> None:
    steps = steps_of([{"t": 1, "note": "x"}, {"t": 2, "send": "=1\n"}, {"t": 3, "recv": "=1\r\n1\r\n> "}])
    assert [(step.number, step.statement, step.printed) for step in steps] == [
        (0, None, None), (1, "=1", None), (2, None, ["1"]),
    ]  # fmt: skip


def test_what_peers_saw_is_joined() -> None:
    events = [[1, "accept", ["10.77.0.2", 5]], [2, "recv", 3, "abc"], [3, "recv", 4, "defg"], [4, "peer-fin"]]
    assert peer_view(events) == ["accept", "received 7", "fin"]
    assert peer_view([[1, "dns", "ok.test", [1, 1], "ip"], [2, "dns", "ok.test", [1, 1], "ip"]]) == ["asked for ok"]
    assert peer_view([[1, 0, "connected", "hi1"], [2, "peer got nothing", "timed out"]]) == ["0 connected hi1"]
