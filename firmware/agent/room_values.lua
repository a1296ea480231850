-- Values; bridge/wire/PROTOCOL.md, "Values". From the host all of them; to it those that agent.send does not know:
-- tables, functions, objects.
local agent = ...
local two, flooded = agent.two
-- The host's functions, by number, as long as somebody here holds them. This room goes before a TLS handshake and comes
-- again; they may stay.
local functions = agent.functions or setmetatable({}, { __mode = "v" })
agent.functions = functions

local function get(data, at)
  local tag, n, low = data:byte(at, at + 2)
  n = n * 256 + low
  at = at + 3
  if tag == @HANDLE@ then return agent.find(data, at - 2), at end
  if tag == @CALLBACK@ then
    -- Lua calls a function of the host. A flood is cut off, says so once, and counts: a call is dropped when too much waits
    -- already. Outside of the host's own calls that is before the host's messages have to wait (receive.lua), so that no
    -- flood of timers or interrupts keeps them out.
    local lost = 0
    agent.asked = true
    local call = functions[n] or function(...)
      if agent.asks and agent.asks() then return agent.ask(two(n), ...) end
      local ok, dropped = true, agent.top - agent.base > (agent.call and 23 or 15)
      if not dropped then
        ok, dropped = pcall(agent.send, @INVOKE@, two(n) .. two(lost), ...)
        if agent.given then agent.release() end
      end
      lost = dropped and lost + (lost < 65535 and 1 or 0) or 0
      if dropped and not flooded then
        flooded = ok
        pcall(agent.send, @FAILURE@, "\0", ok and "calls of Python functions were dropped" or dropped)
      end
    end
    functions[n] = call
    return call, at
  end
  if tag == @TABLE@ then
    local map, key, value = {}
    for _ = 1, n do
      key, at = get(data, at)
      value, at = get(data, at)
      map[key] = value
    end
    return map, at
  end
  n = at + n
  data = data:sub(at, n - 1)
  if tag == @NUMBER@ then
    data = agent.number(data)
  elseif tag == @BOOLEAN@ then
    data = data == "true"
  elseif tag == @NIL@ then
    data = nil
  end
  return data, n
end

-- Calls a function with values; room_wait.lua knows more.
agent.start = agent.start or function(made, ...)
  return made(...)
end

-- All values from a position on.
function agent.values(data, at)
  if at <= #data then
    local value
    value, at = get(data, at)
    return value, agent.values(data, at)
  end
end

-- piece
local agent = ...
local two = agent.two

-- The bytes of a table, an object, or a number without an exact decimal text. The same object has the same number, as
-- long as the host keeps it; how often it was sent is counted.
function agent.deep(value, name, depth)
  if name == "number" then
    local text = agent.exact(value)
    return "r" .. two(#text) .. text
  end
  if name == "table" then
    depth = (depth or 0) + 1
    if depth > @MAX_DEPTH@ then error("table too deep", 0) end
    local data, n = "", 0
    for key, item in pairs(value) do
      data = data .. agent.put(key, depth) .. agent.put(item, depth)
      n = n + 1
    end
    return "e" .. two(n) .. data
  end
  local objects, number = agent.objects
  for other, known in pairs(objects) do
    if known == value then number = other end
  end
  if not number then return "a" .. two(agent.keep(value)) end
  objects[-number] = (objects[-number] or 1) + 1
  number = two(number)
  agent.given = (agent.given or "") .. number
  return "a" .. number
end

-- A value that was put aside before this room was here.
function agent.values_fetch(message)
  local high, low = message:byte(3, 4)
  low = high * 256 + low
  local value = agent.aside[low]
  agent.aside[low] = nil
  return value
end
