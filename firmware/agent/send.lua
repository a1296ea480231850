-- Messages out; bridge/wire/PROTOCOL.md. The agent is written for a small heap: a function costs 130 bytes before it does
-- anything, a captured variable 36, a named field 32 and its string. So there are few functions, which do much, and all
-- that they know is in one table, whose fields are numbers when the board gets them (bridge/minify.py).
local agent = ...
local char = string.char
-- To the host, by number: fragments from `base`, the oldest one not acknowledged, to before `top`; those from `unsent` on
-- have not been sent. `out[1]` is the one of `base`: a list takes less than half of what other numbers would. `again`:
-- those that are to go again. (`seen`: the oldest one when the timer last looked.)
agent.out, agent.again, agent.base, agent.unsent, agent.top = {}, {}, 0, 0, 0
-- From the host: fragments that are here, by number modulo 32; the next number wanted; `held` has a bit for each that is
-- here, from that number on; the message that is coming in, so far.
agent.early, agent.message, agent.expected, agent.held = {}, "", 0, 0
-- `key` stands for NUL. `owed`: an answer is due; 64 if something damaged came. `rest`: half a frame that is to be written
-- yet. `posted`: a task will write the next frame.
agent.key = 128

-- A number of two bytes, high byte first. Floats with a whole value are fine for string.char on 5.3 too.
function agent.two(n)
  return char((n - n % 256) / 256, n % 256)
end

-- Queues a message: its kind, the bytes that follow, and values; or only sees that what was queued elsewhere leaves, if all
-- that it gets is "". (`given`: numbers of objects in it. Those that are there at the beginning are of a message that there
-- was no memory for, or that went too deep; or of an object that a reply tells.)
function agent.send(kind, data, ...)
  local agent = agent
  local out = agent.out
  if agent.given then agent.release(nil, kind) end
  data = data and char(kind) .. data or kind
  for at = 1, select("#", ...) do
    data = data .. agent.put((select(at, ...)))
  end
  kind = agent.fragment
  local top = agent.top -- only now: what `tostring` calls may have sent something, too
  for at = 1, #data, kind do
    -- What may stand there already is of a message for all of which there was no memory.
    out[top - agent.base + 1] = char(top % 32 + (at + kind > #data and 32 or 64)) .. data:sub(at, at + kind - 1)
    top = top + 1
  end
  agent.top, agent.given = top
  agent.posted = agent.posted or pcall(node.task.post, @PRIORITY@, agent.main)
end

-- The bytes of a value. Those of tables, objects and numbers whose text is not exact room_values.lua knows; until it is
-- here they are put aside, and the host fetches them when it has sent that room.
function agent.put(value, depth)
  local name, text = type(value), tostring(value)
  if #name < 8 and name ~= "table" and (name ~= "number" or tonumber(text) == value and not text:find("e")) then
    return name:sub(-1) .. agent.two(#text) .. text
  end
  if agent.deep then return agent.deep(value, name, depth) end
  name = agent.aside or {}
  agent.aside = name
  name[#name + 1] = value
  return "s" .. agent.two(#name)
end
