-- Takes the UART over, and gives it back.
local agent = ...
local timer = agent.timer

-- Every callback of the agent catches its own errors: an error outside would restart the board in two seconds.
local function guard(f)
  return function(...)
    local ok, text = pcall(f, ...)
    if not ok then pcall(agent.fault, text) end
  end
end
agent.guard = guard

-- The prompt comes back from a task of its own: leaving raw mode inside a raw callback crashes the chip.
function agent.leave()
  node.task.post(function()
    agent.ended = true
    timer:unregister()
    uart.on("data")
    if node.egc then node.egc.setmode(node.egc.ALWAYS, 4096) end
  end)
end

-- The host is done: let every object go, say so, and leave when the host has heard it.
function agent.stop()
  for number in pairs(agent.objects) do
    if agent.released then pcall(agent.released, number) end
  end
  agent.objects = nil
  agent.send(string.char(@STOPPED@))
  timer:unregister()
  timer:alarm(100, tmr.ALARM_SINGLE, agent.leave)
end

-- The bootstrap's own table; bridge/loader.py.
_nb = nil
timer:register(agent.patience, tmr.ALARM_SEMI, guard(agent.expired))
uart.on("data", "\0", guard(agent.receive), 0)
agent.send(string.char(@HELLO@) .. "@DIGEST@" .. agent.puts(node.heap(), _VERSION))
