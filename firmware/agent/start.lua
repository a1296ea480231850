-- The last piece of the bootstrap: the agent takes the UART, and the bootstrap's own table goes (bridge/loader.py).
local agent = ...
agent.fragment, agent.timer = @FRAGMENT@, tmr.create()
agent.timer:alarm(300, 1, agent.main)
uart.on("data", "\0", agent.main, 0)
_nb = nil
-- Until the agent leaves, 5.1 collects when fewer than 10 000 bytes are free, and 5.3 when a tenth more is there than
-- lives, and then quickly. What lwIP and a TLS handshake take does not make Lua collect, so that much must always be left
-- to them.
if node.egc then node.egc.setmode(node.egc.ON_MEM_LIMIT, -10000) end
agent.pause = collectgarbage("setpause", node.egc and 1000 or 110)
agent.stepmul = collectgarbage("setstepmul", 800)
agent.send(@HELLO@, "@DIGEST@", node.heap(), _VERSION)
