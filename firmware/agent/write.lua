-- Frames out; bridge/wire/PROTOCOL.md. The host finds out what was lost, both ways: here is only what must be.
local agent = ...
local char = string.char

-- Called by a task with a number, and by the timer with itself. True when no task is needed after it.
function agent.write(data)
  local agent = agent
  local base, again = agent.base, agent.again
  if data == agent.timer then
    -- What was not acknowledged for a whole turn of the timer goes again.
    if base < agent.unsent and base == agent.seen then again[base] = true end
    agent.seen = base
    return agent.tick and agent.tick()
  end
  if agent.feed then
    agent.posted = true -- no task is needed for what leaves now
    pcall(agent.feed)
  end
  -- One frame, the most urgent one, in halves: `uart.write` holds the CPU while the bytes leave.
  data, agent.posted, agent.rest = agent.rest
  if not data then
    local seq, owed = next(again), agent.owed
    if seq then
      again[seq] = nil
    elseif agent.unsent < agent.top and agent.unsent - base < @WINDOW@ then
      seq = agent.unsent
      agent.unsent = seq + 1
    end
    -- Behind the last one there may be some of a message for all of which there was no memory.
    for at = agent.top - base + 1, #agent.out do
      agent.out[at] = nil
    end
    data = seq and agent.out[seq - base + 1]
    if agent.ended or not (data or owed) then return not next(again) end
    seq = agent.expected + (owed or 0)
    data = data or ""
    if agent.held > 0 then
      seq, data = seq + 32, agent.two(agent.held) .. data
    end
    data = char(seq) .. data
    agent.owed = nil
    owed = agent.check(data, @SEED_OUT@)
    seq = owed % 65536
    data = data .. char((owed - seq) / 65536, (seq - seq % 256) / 256, seq % 256)
    owed = agent.key
    seq = char(owed)
    while data:find(seq, 1, true) do
      owed = owed % 255 + (owed == 36 and 2 or 1)
      seq = char(owed)
    end
    agent.key = owed
    data = data:gsub("%z", seq)
    if #data < 123 then
      uart.write(0, 0, owed, data, 0)
    else
      -- What a callback prints in between stands behind the first half, whose length the host knows.
      agent.rest = "\0" .. data:sub(124) .. "\0"
      uart.write(0, 0, owed, data:sub(1, 123))
      return
    end
  else
    uart.write(0, data)
  end
  return agent.unsent == agent.top and not next(again)
end
