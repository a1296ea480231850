-- The last piece of the bootstrap: the agent takes the UART, and the bootstrap's own table goes (bridge/loader.py).
local agent = ...
agent.fragment, agent.timer = @FRAGMENT@, tmr.create()
agent.timer:alarm(300, 1, agent.main)
uart.on("data", "\0", agent.main, 0)
agent.check, _nb = nil
agent.send(@HELLO@, "@DIGEST@", node.heap(), _VERSION)
