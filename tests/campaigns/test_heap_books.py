"""The virtual board's model of the heap keeps true books, whatever programs do and however rudely they are left."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
from collections.abc import Awaitable

import pytest

from bridge.errors import BridgeError
from bridge.virtual.clock import run
from bridge.virtual.lwip.memstream import MemoryStream
from tests.campaigns.lifetimes import CLOSED, SERVED
from tests.campaigns.stage import BUILDS, PEER, Stage, play
from tests.variants import by_night
from tests.virtual.bench import Bench
from tests.virtual.heap.recount import Recount

#: Each keeps something in the slot `n` of the table K, or lets go of what is there.
_DEEDS = (
    "K[n]=nil",
    "K[n]=nil",
    "K[n]={n,K[n-1],x=K[n-2],[n]=true}",
    "K[n]=('text %d '):format(n):rep(n)..'!'",
    "local a,b=n,K[n-1] K[n]=function(c) b=c a=a+n return a,b,c..'text' end",
    "K[n]=loadstring('local a=... return function() return a/2,'..n..'..\"x\" end')(n)",
    "K[n]=coroutine.create(function(...) local a,b=... coroutine.yield(function() return a,b end) return a end)",
    "if type(K[n])=='thread' then coroutine.resume(K[n],n,K) end",
    "K[n]=coroutine.create(function() error('no '..n) end) coroutine.resume(K[n])",
    "K[n]=coroutine.create(function(t) K[n+1]=tmr.create() t[1]=tostring(K[n+1]) end) coroutine.resume(K[n],{})",
    "K[n]=coroutine.wrap(function(a) local b=a while true do b=coroutine.yield(b) end end) K[n](n) K[n](K[n])",
    "K[n]=pipe.create() K[n]:write(('p'):rep(n*20)) K[n]:write(n..'')",
    "K[n]=pipe.create(function(p) return false end,n%3) K[n+1]=K[n]:reader(n)",
    "K[n]=pipe.create() for i=1,n do K[n]:write(i%3 ..'') end K[n]:read(3)",
    "K[n]=tmr.create() K[n]:register(60000,0,function() return n end)",
    "if type(K[n])=='userdata' and K[n].unregister then K[n]:unregister() end",
    "K[n]=file.open('f'..n%4,'w+') if K[n] then K[n]:write('x') end",
    "if type(K[n])=='userdata' and K[n].write then K[n]:close() end",
    "K[n]=setmetatable({},{__mode='kv',__index=K[n-1]}) K[n][1]={}",
    "K[n]=('a b c'):gmatch('%a') K[n]()",
    "pcall(function() local function deep(i) return i>0 and 1+deep(i-1) or error({}) end deep(30) end)",
    "K[n]=string.format('%q',K[n] and tostring(K[n]) or 'nothing')",
    "G=G or {} G[n]=K[n] _G['g'..n%5]=K[n-1]",
    "G=nil for i=0,4 do _G['g'..i]=nil end",
    "local t={} for i=1,n*3 do t[i]={i} end K[n]=#t",
    "K[n]=crypto.toBase64(('y'):rep(n)) K[n+1]=sjson.decode('{\"a\":[1,2,{\"b\":\"'..n..'\"}]}')",
    "collectgarbage() collectgarbage()",
)
#: What K has held is gone with it; files and timers first, which the firmware keeps by itself.
_DROP = (
    "for i,v in pairs(K) do if type(v)=='userdata' then if v.unregister then v:unregister() else v:close() end end end",
    "K=nil G=nil for i=0,4 do _G['g'..i]=nil end",
    "file.open('f0','w'):close() collectgarbage() collectgarbage()",
)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("seed", by_night(range(2), but=[0]))
def test_books_agree_with_a_count_from_scratch(build: str, seed: int) -> None:
    rng = random.Random(f"{build} {seed}")

    async def main() -> None:
        bench = await Bench.boot(cpu=0.0, heap=81_000, **BUILDS[build])
        counted = Recount(bench.firmware.system.heap)
        await bench.answer("K,G,D=1,1,1 for i=0,4 do _G['g'..i]=i end")  # the table of globals keeps its size
        prices = []
        for _ in range(3):
            await bench.answer("K={} function D(f,n) return f(n) end")
            for number in range(48):
                deed = rng.choice(_DEEDS)
                said = await bench.answer(f"D(function(n) {deed} end,{rng.randrange(1, 20)})")
                assert said == "" or "error" in said, (deed, said)
                if number % 8 == 0:
                    counted.check()
            for line in _DROP:
                assert await bench.answer(line) == "", line
            counted.check()
            prices.append(counted.price)
        # Nothing is charged for ever, and nothing is given back that was not charged.
        assert prices[1:] == prices[:1] * 2
        bench.close()

    run(main())


async def echo(stream: MemoryStream) -> None:
    """A peer that answers for a while, and then closes."""
    try:
        async with asyncio.timeout(20):
            while data := await stream.read(1000):
                stream.write(data)
    except TimeoutError:
        stream.close()


@pytest.mark.parametrize("build", by_night(BUILDS, but=["5.1 float"]))
def test_books_agree_after_whoever_gave_up(build: str) -> None:
    """Sockets and servers are made, connected and listened with by tasks that are cancelled at some moment."""
    rng = random.Random(build)

    async def connect(stage: Stage) -> None:
        socket = await stage.board.net.createConnection()
        connected = asyncio.Event()
        await socket.connect(rng.choice((SERVED, SERVED, CLOSED)), PEER, lambda socket: connected.set())
        await connected.wait()
        await socket.send(b"x" * rng.randrange(3000))

    async def listen(stage: Stage) -> None:
        server = await stage.board.net.createServer()
        try:
            await server.listen(rng.randrange(1000, 1100), lambda socket: None)
            await server.close()
        finally:
            await server.release()

    async def give_up(work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        await asyncio.sleep(rng.random() * 0.08)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, BridgeError):
            await task

    async def scenario(stage: Stage) -> None:
        stage.network.serve(PEER, SERVED, echo)
        counted = Recount(stage.system.heap)
        left = []
        for turn in range(4):
            for _ in range(8):
                works = [rng.choice((connect, listen))(stage) for _ in range(rng.randrange(1, 10))]
                await asyncio.gather(*map(give_up, works))
                if rng.random() < 0.3:
                    counted.check()
                await asyncio.sleep(0.2)
            gc.collect()
            await asyncio.sleep(40)
            await stage.left()
            counted.check()
            if turn > 0:
                left.append((counted.price_without_tables, sum((+counted.claims).values())))
        assert len(set(left)) == 1, left

    play(scenario, faults=True, **BUILDS[build])
