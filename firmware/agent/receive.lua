-- Frames in; bridge/wire/PROTOCOL.md.
local agent = ...
local char = string.char

-- A frame as the UART delivers it, up to its NUL. Raises an error if it is none.
function agent.receive(data)
  if #data < 8 then return end -- an extra NUL, or not worth a word
  local agent = agent
  local head, seq, sum = data:byte(1, 3)
  data = data:sub(4, -2):gsub(char(head), "\0"):gsub(char(seq), "\10"):gsub(char(sum), "\13")
  head, seq, sum = data:byte(-3, -1)
  sum = (head * 256 + seq) * 256 + sum
  data = data:sub(1, -4)
  if sum ~= agent.check(data, @SEED_IN@) then
    -- A host that knows no epoch, because it has just come, may run a line of Lua: it asks for the prompt so.
    return loadstring(sum == agent.check(data, @RESCUE@) and data)(agent)
  end
  head, seq = data:byte(1, 2)
  local base, early, expected = agent.base, agent.early, agent.expected
  while base < agent.unsent and base % 32 ~= head % 32 do
    agent.again[base] = nil
    table.remove(agent.out, 1)
    base = base + 1
  end
  agent.base = base
  if head > 127 or seq and seq < 96 then agent.owed = agent.owed or 0 end
  if head > 127 then agent.again[base] = true end
  if seq and seq > 95 then
    for at = 3, #data do
      agent.again[base + (data:byte(at) - base) % 32] = true
    end
  elseif seq then
    seq = seq % 32
    head = (seq - expected) % 32
    if head < @WINDOW@ and not early[seq] then
      early[seq] = data
      agent.held = agent.held + 2 ^ head
    end
  end
  -- A message waits here while too much waits to go out.
  while early[expected] and agent.top - base < 20 do
    data = early[expected]
    -- There may be no memory for it: then the frame has not arrived, and comes again.
    early[expected] = nil
    agent.held = agent.held - 1
    sum = agent.message .. data:sub(3)
    expected = (expected + 1) % 32
    agent.expected, agent.held, agent.owed = expected, agent.held / 2, agent.owed or 0
    agent.message = sum
    if data:byte(2) < 64 then
      agent.message = ""
      agent.take(sum, sum:byte(1, 2))
    end
  end
end

-- Everything that calls the agent calls this: tasks with their priority, the timer with itself, the UART with a string.
-- What is no frame, or fails otherwise, is told to the host. The answer to a frame leaves at once.
function agent.main(data)
  local idle, ok = data ~= @PRIORITY@ and data ~= agent.timer
  if idle then
    ok, idle = pcall(agent.receive, data)
    if idle == "not enough memory" then
      agent.take()
    elseif not ok then
      agent.owed = 64
    end
    data = 1
    if agent.posted then return end
  end
  ok, idle = pcall(agent.write, data)
  if not idle then pcall(agent.send, "") end
end
