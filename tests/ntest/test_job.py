from bridge.ntest.job import LIBRARY, REPORTER, Job, our_library
from bridge.repl import MAX_LINE


def test_what_goes_to_the_board() -> None:
    job = Job("NTest_a.lua", b"source", {"more.lua": b"more"})
    assert list(job.files()) == [REPORTER, LIBRARY, "more.lua", "NTest_a.lua"]
    assert job.files()[LIBRARY] == our_library()
    own = Job("NTest_a.lua", b"source", library=b"theirs")
    assert own.files()[LIBRARY] == b"theirs"
    assert list(Job("NTest_a.lua", b"source", library=None).files()) == [REPORTER, "NTest_a.lua"]
    assert list(Job("NTest_a.lua", b"source", shim=False).files()) == ["NTest_a.lua"]


def test_each_line_fits_the_prompt() -> None:
    for job in (
        Job("n" * 31, b""),
        Job("\1" * 31, b""),
        Job("n" * 31, b"", library=None),
        Job("n" * 31, b"", shim=False),
    ):
        for line in (*job.preparation(), job.start(), job.tidying()):
            assert len(line) <= MAX_LINE and "\n" not in line


def test_the_library_is_small() -> None:
    assert len(our_library()) < 3000
    assert b"\n" not in our_library() and b"--" not in our_library()
