-- The last piece of the bootstrap: the agent takes the UART, and the bootstrap's own table goes (bridge/loader.py).
local agent = ...
agent.start()
agent.start, _nb = nil, nil
