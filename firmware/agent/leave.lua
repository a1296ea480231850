-- The agent gives the prompt back as it found it. Run as source by the host of this epoch, or, line by line in frames
-- that any agent takes, by one that has just come; so it uses only fields that have the same number in each version.
-- line: everything is let go
local agent = ...
agent.timer:unregister()
for _, object in pairs(agent.objects or {}) do
  for _, method in pairs { "unregister", "close" } do
    pcall(function()
      object[method](object)
    end)
  end
end
if agent.pause then collectgarbage("setpause", agent.pause) end
if agent.mhz then node.setcpufreq(agent.mhz) end
-- line: the firmware keeps a socket's callbacks until it is collected, and they know the agent: so no socket may be in one of
-- its tables any more, or all of it would stay for ever; when the answer has left, and the prompt is there again
local agent = ...
tmr.create():alarm(21, 0, function()
  for name, value in pairs(agent) do
    if type(value) == "table" then
      for key in pairs(value) do
        value[key] = nil
      end
    elseif type(value) == "userdata" then
      agent[name] = nil
    end
  end
end)
-- line: from a timer, since leaving raw mode inside a raw callback crashes the chip; an answer still leaves before
local agent = ...
tmr.create():alarm(20, 0, function()
  agent.ended = true
  uart.on("data")
  if agent.baud then uart.setup(0, agent.baud, 8, 0, 1) end
  if agent.stepmul then collectgarbage("setstepmul", agent.stepmul) end
  if node.egc then node.egc.setmode(4, 4096) end
end)
