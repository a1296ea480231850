-- The link: frames in and out; bridge/wire/PROTOCOL.md. The host finds out what was lost, both ways: here is only what
-- must be. A function costs 130 bytes of heap before it does anything, so few do much.
local agent = ...
local char, check, two = string.char, agent.check, agent.two
-- To the host, by number: fragments from `base`, the oldest one not acknowledged, to before `top`; those from `unsent` on
-- have not been sent. `again`: those that are to go again; `seen`: the oldest one when the timer last looked.
local out, again, base, unsent, top, seen = {}, {}, 0, 0, 0
-- From the host: fragments that are here, by number modulo 32; the next number wanted; `held` has a bit for each that is
-- here, from that number on; the message that is coming in, so far.
local early, message, expected, held = {}, "", 0, 0
-- `owed`: an answer is due; 64 if something damaged came. `rest`: half a frame that is to be written yet. `key`: stands
-- for NUL. `posted`: a task will write the next frame.
local key, owed, rest, posted = 128

-- Queues a message: its kind, the bytes that follow, and values. A call of the host's functions is dropped when too
-- much waits already; then the result is true.
function agent.send(kind, data, ...)
  if kind == @INVOKE@ and top - base > 23 then return true end
  data = char(kind) .. data
  for at = 1, select("#", ...) do
    data = data .. agent.put((select(at, ...)))
  end
  kind = agent.fragment
  for at = 1, #data, kind do
    out[top] = char(top % 32 + (at + kind > #data and 32 or 64)) .. data:sub(at, at + kind - 1)
    top = top + 1
  end
  posted = posted or pcall(node.task.post, agent.main)
end

-- The bytes of a value. Those of tables and objects room_values.lua knows; until it is here they are put aside, and the
-- host fetches them when it has sent that room.
function agent.put(value, depth)
  local name, text = type(value), tostring(value)
  if #name < 8 and name ~= "table" then return name:sub(-1) .. two(#text) .. text end
  if agent.deep then return agent.deep(value, name, depth) end
  name = agent.aside or {}
  agent.aside = name
  name[#name + 1] = value
  return "s" .. two(#name)
end

-- What there is to do, for who calls: the UART with a string, a task with a number, or the timer with itself.
-- True when no frame needs to be written after it.
local function work(data)
  if data == agent.timer then
    -- What was not acknowledged for a whole turn of the timer goes again.
    if base < unsent and base == seen then again[base] = true end
    seen = base
    return agent.tick and agent.tick()
  end

  if type(data) == "number" then
    -- One frame is written, the most urgent one, in halves: `uart.write` holds the CPU while the bytes leave.
    posted = nil
    data = rest
    rest = nil
    if not data then
      local seq = next(again)
      if seq then
        again[seq] = nil
      elseif unsent < top and unsent - base < @WINDOW@ then
        seq = unsent
        unsent = seq + 1
      end
      data = seq and out[seq]
      if agent.ended or not (data or owed) then return not next(again) end
      seq = char(expected + (owed or 0) + (held > 0 and 32 or 0))
      if held > 0 then seq = seq .. two(held) end
      data = seq .. (data or "")
      owed = nil
      data = data .. check(data, @SEED_OUT@)
      while data:find(char(key), 1, true) do
        key = key % 255 + (key == 36 and 2 or 1)
      end
      data = "\0" .. char(key) .. data:gsub("%z", char(key)) .. "\0"
      if #data > 126 then
        rest = data:sub(127)
        data = data:sub(1, 126)
      end
    end
    return uart.write(0, data)
  end

  -- A frame as the UART delivers it, up to its NUL. Raises an error if it is none.
  local head, seq, sum = data:byte(1, 3)
  data = data:sub(4, -2):gsub(char(head), "\0"):gsub(char(seq), "\10"):gsub(char(sum), "\13")
  sum = data:sub(-3)
  data = data:sub(1, -4)
  if sum ~= check(data, @SEED_IN@) then
    -- A host that knows no epoch, because it has just come, may run a line of Lua: it asks for the prompt so.
    return loadstring(sum == check(data, @RESCUE@) and data)(agent)
  end
  head, seq = data:byte(1, 2)
  while base < unsent and base % 32 ~= head % 32 do
    out[base], again[base] = nil
    base = base + 1
  end
  if head > 127 then owed, again[base] = owed or 0, true end
  if seq and seq > 95 then
    for at = 3, #data do
      again[base + (data:byte(at) - base) % 32] = true
    end
  elseif seq then
    owed = owed or 0
    head = (seq - expected) % 32
    if head < @WINDOW@ and not early[seq % 32] then
      early[seq % 32] = data:sub(2)
      held = held + 2 ^ head
    end
  end
  data = early[expected]
  -- A message waits here while too much waits to go out.
  while data and top - base < 20 do
    early[expected] = nil
    expected = (expected + 1) % 32
    held = (held - 1) / 2
    owed = owed or 0
    message = message .. data:sub(2)
    if data:byte() < 64 then
      data, message = message, ""
      agent.take(data, data:byte(1, 2))
    end
    data = early[expected]
  end
end

-- Everything that calls the agent calls this. What is no frame, or fails otherwise, is told to the host.
function agent.main(data)
  local ok, idle = pcall(work, data)
  if not ok then owed = 64 end
  if not idle then posted = posted or pcall(node.task.post, agent.main) end
end
