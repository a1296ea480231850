-- Frames in: checks them, puts them in order, joins fragments, hands messages to `agent.dispatch`.
local agent = ...
local byte, sub, find, gsub = string.byte, string.sub, string.find, string.gsub
local parts, lasts, early = {}, {}, {}
agent.early = early
agent.expected = 0

-- One frame as the UART delivers it: up to and including its NUL.
function agent.receive(data)
  local n = #data
  if n < 2 then return end
  local key = sub(data, 1, 1)
  data = sub(data, 2, n - 1)
  local x, y, z = byte(data, n - 4, n - 2)
  if n > 6 and n < 256 then
    if find(data, key, 1, true) then
      data = gsub(data, key, "\0")
      x, y, z = byte(data, n - 4, n - 2)
    end
    local head = sub(data, 1, n - 5)
    local a, b, c = agent.check(head, @SEED_IN@)
    if a == x and b == y and c == z then
      return agent.accept(head)
    end
  end
  -- A host that knows no epoch, because it has just come, may still ask for the prompt.
  if data == "@STOP_WORD@" then return agent.leave() end
  agent.nak = true
  agent.wake()
end

-- The header and payload of a frame that is sound.
function agent.accept(data)
  local first, second = byte(data, 1, 2)
  local seq, ack, at, sack = first % 32, second % 32, 3, 0
  first, second = first - seq, second - ack
  if second % 64 > 0 then
    sack = byte(data, 3)
    at = 4
  end
  agent.acknowledged(ack, sack, second % 128 > 63)
  if second > 127 or first > 0 then agent.owed = true end
  local expected = agent.expected
  if first > 0 and (seq - expected) % 32 <= 8 and not early[seq] then
    early[seq], lasts[seq] = sub(data, at), first == 32
    while early[expected] do
      local part, last = early[expected], lasts[expected]
      early[expected], lasts[expected] = nil, nil
      expected = (expected + 1) % 32
      agent.expected = expected
      parts[#parts + 1] = part
      if last then
        if #parts > 1 then part = table.concat(parts) end
        parts = {}
        agent.dispatch(part)
      end
    end
  end
  agent.wake()
end
