-- Frames in; bridge/wire/PROTOCOL.md.
local agent = ...
local char = string.char

-- A frame as the UART delivers it, up to its NUL; an error is raised if it is none. Or something shorter, for what waits.
function agent.receive(data)
  local agent = agent
  if #data > 7 then -- else it is an extra NUL, or not worth a word
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
    local base = agent.base
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
      head = (seq - agent.expected) % 32
      if head < @WINDOW@ and not agent.early[seq] then
        agent.early[seq] = data
        agent.held = agent.held + 2 ^ head
      end
    end
  end
  local early, expected = agent.early, agent.expected
  -- A message waits here while too much waits to go out.
  while early[expected] and agent.top - agent.base < 20 do
    -- First, as there may be no memory for it: then it stays, for the host has perhaps been told that it is here.
    data = agent.message .. early[expected]:sub(3)
    agent.message = early[expected]:byte(2) > 63 and data or ""
    early[expected] = nil
    expected = (expected + 1) % 32
    agent.expected, agent.held, agent.owed = expected, (agent.held - 1) / 2, agent.owed or 0
    if agent.message == "" then agent.take(data, data:byte(1, 2)) end
  end
end

-- Everything that calls the agent calls this: tasks with their priority, the timer with itself, the UART with a string.
-- What is no frame, or fails otherwise, is told to the host. The answer to a frame leaves at once.
function agent.main(data)
  local idle, ok = data ~= @PRIORITY@
  if idle then
    ok, idle = pcall(agent.receive, data ~= agent.timer and data or "")
    if idle == "not enough memory" then
      agent.take()
    elseif not ok then
      agent.owed = 64
    end
    if data ~= agent.timer then
      data = 1
      if agent.posted then return end
    end
  end
  ok, idle = pcall(agent.write, data)
  if not idle then pcall(agent.send, "") end
end
