-- Frames out; bridge/wire/PROTOCOL.md. The host finds out what was lost, both ways: here is only what must be.
local agent = ...

-- Called by a task with a number, and by the timer with itself. True when no task is needed after it.
function agent.write(data)
  local agent = agent
  local base = agent.base
  if data == agent.timer then
    -- What was not acknowledged for a whole turn of the timer goes again.
    if base < agent.unsent and base == agent.seen then agent.again[base] = true end
    agent.seen = base
    return agent.tick and agent.tick()
  end
  -- One frame, the most urgent one, in halves: `uart.write` holds the CPU while the bytes leave.
  data, agent.posted, agent.rest = agent.rest
  if not data then
    local seq, char = next(agent.again), string.char
    if seq then
      agent.again[seq] = nil
    elseif agent.unsent < agent.top and agent.unsent - base < @WINDOW@ then
      seq = agent.unsent
      agent.unsent = seq + 1
    end
    data = seq and agent.out[seq]
    if agent.ended or not (data or agent.owed) then return not next(agent.again) end
    seq = agent.held
    data = char(agent.expected + (agent.owed or 0) + (seq > 0 and 32 or 0)) .. (seq > 0 and agent.two(seq) or "") .. (data or "")
    agent.owed = nil
    data = data .. agent.check(data, @SEED_OUT@)
    seq = agent.key
    while data:find(char(seq), 1, true) do
      seq = seq % 255 + (seq == 36 and 2 or 1)
    end
    agent.key = seq
    data = "\0" .. char(seq) .. data:gsub("%z", char(seq)) .. "\0"
    if #data > 126 then
      -- What a callback prints in between must stand apart from both.
      agent.rest = "\0" .. data:sub(126)
      data = data:sub(1, 125) .. "\0"
    end
  end
  return uart.write(0, data)
end
