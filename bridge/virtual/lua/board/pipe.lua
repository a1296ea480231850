-- The pipe module (app/modules/pipe.c): a table whose first element is its write function and task in one, and whose
-- further elements are chunks of up to 256 bytes. Written in Lua because its objects are Lua tables.
local B = ...
local type, tostring, rawequal, rawget, rawset = type, tostring, rawequal, rawget, rawset
local setmetatable, newproxy, setmeta = setmetatable, newproxy, debug.setmetatable
local sub, find, concat, format, floor = string.sub, string.find, table.concat, string.format, math.floor
local hide, argument_fault, post = B.hide, B.argument_fault, B.post_function
local insert, remove = table.insert, table.remove
local length = B.is_53 and rawlen or function(t) return #t end
local CHUNK = 256                       -- LUAL_BUFFERSIZE
local NOT_USED, ACTIVE, UPDATED, QUIESCENT = 0, 1, 2, 4
local MEDIUM = 1
local meta, methods = {}, {}
-- chunk -> its bytes; the chip keeps a chunk in userdata of 264 bytes, here it is an empty one (5.3: a table)
local bytes = setmetatable({}, {__mode = "k"})
B.pipe_chunks = bytes

local function is_pipe(value)
  return type(value) == "table" and B.raw_getmetatable(value) == meta
end

local check_pipe = hide(function(value)
  if not is_pipe(value) then argument_fault(2, 1, "pipe table") end
end)

local function new_chunk(text)
  local chunk = newproxy and newproxy() or {}
  setmeta(chunk, meta)
  bytes[chunk] = text
  return chunk
end

local function append(pipe, text)
  local n = length(pipe)
  local last = n > 1 and rawget(pipe, n)
  if last and #bytes[last] < CHUNK then
    local room = CHUNK - #bytes[last]
    bytes[last] = bytes[last] .. sub(text, 1, room)
    text = sub(text, room + 1)
  end
  while #text > 0 do
    n = length(pipe) + 1
    rawset(pipe, n, new_chunk(sub(text, 1, CHUNK)))
    text = sub(text, CHUNK + 1)
  end
end

local has_bit = {[2] = true, [3] = true, [6] = true, [7] = true}
local integer = B.is_53 and math.tointeger or floor

-- Delimiter or size of a read: count, delimiter, whether the delimiter is kept.
local wanted = hide(function(value)
  if type(value) == "number" then
    local n = integer(value) or 0
    if n <= 0 then argument_fault(2, 2, "invalid chunk size") end
    return n
  elseif value == nil then
    return nil, "\n", false
  end
  if type(value) ~= "string" or not (#value == 1 or (#value == 2 and sub(value, 2) == "+")) then
    argument_fault(2, 2, "invalid delimiter")
  end
  return nil, sub(value, 1, 1), #value == 2
end)

local function take(pipe, n, delimiter, keep)
  local parts = {}
  while length(pipe) > 1 and n ~= 0 do
    local chunk = rawget(pipe, 2)
    local text = bytes[chunk]
    local used
    if n then
      used = #text < n and #text or n
      parts[#parts + 1] = sub(text, 1, used)
      n = n - used
    else
      local at = find(text, delimiter, 1, true)
      used = at or #text
      parts[#parts + 1] = sub(text, 1, at and not keep and at - 1 or used)
      if at then n = 0 end
    end
    text = sub(text, used + 1)
    bytes[chunk] = text
    if text == "" then remove(pipe, 2) end
  end
  if #parts == 0 then return nil end
  return concat(parts)
end


function methods.read(pipe, value)
  check_pipe(pipe)
  local n, delimiter, keep = wanted(value)
  return (take(pipe, n, delimiter, keep))
end

function methods.reader(pipe, value)
  check_pipe(pipe)
  local n, delimiter, keep = wanted(value)
  return function() return (take(pipe, n, delimiter, keep)) end
end

function methods.unread(pipe, text)
  if text == "" then return end
  if type(text) == "number" then text = tostring(text) end
  if type(text) ~= "string" then return end  -- lua_tolstring answers length 0, which comes before the check
  check_pipe(pipe)
  local first = length(pipe) > 1 and rawget(pipe, 2)
  if first then
    local room = CHUNK - #bytes[first]
    if room > 0 then
      bytes[first] = sub(text, -room) .. bytes[first]
      text = sub(text, 1, -room - 1)
    end
  end
  while #text > 0 do
    insert(pipe, 2, new_chunk(sub(text, -CHUNK)))
    text = sub(text, 1, -CHUNK - 1)
  end
end

function methods.nrec(pipe)
  return length(pipe) - 1
end

function methods.__len(pipe)
  if is_pipe(pipe) and not bytes[pipe] then return length(pipe) end
  return #bytes[pipe]
end

function methods.__tostring(pipe)
  if bytes[pipe] then return bytes[pipe] end
  setmetatable(pipe, nil)
  local text = tostring(pipe)
  setmetatable(pipe, meta)
  return (text:gsub("^table", "Pipe"))
end

-- pipe_write_and_read_poster: called by a program it writes, called as a task it runs the reader.
-- The odd rules are the chip's: `state` at entry decides about posting again, so a reader that returns nil is called
-- for ever.
local function poster_of(pipe, reader, priority)
  local state = reader and QUIESCENT or NOT_USED
  local poster
  poster = function(first, text)
    if rawequal(first, pipe) then
      if text == "" then return end
      if type(text) == "number" then text = tostring(text) end
      if type(text) ~= "string" then return end
      append(pipe, text)
      if state ~= NOT_USED and not has_bit[state] then
        state = state + UPDATED
        post(priority, poster)
      end
    elseif state ~= NOT_USED then
      local entry = state
      state = ACTIVE
      local again = reader(pipe)
      local repost
      if type(again) == "boolean" then
        repost = again and length(pipe) > 1
      else
        repost = has_bit[entry]
      end
      state = repost and QUIESCENT + UPDATED or QUIESCENT
      if repost then post(priority, poster) end
    end
  end
  return poster
end
B.makers.pipe, B.makers.reader = poster_of, methods.reader

function B.pipe_create(...)
  local reader, priority = ...
  if reader ~= nil then
    if type(reader) ~= "function" then
      argument_fault(1, 1, "function expected, got " .. type(reader))
    end
    if priority == nil then
      priority = MEDIUM
    else
      priority = type(priority) == "number" and floor(priority) or tonumber(priority) or 0
      if priority < 0 or priority > 2 then argument_fault(1, 2, "invalid priority") end
    end
  end
  local pipe = {}
  setmetatable(pipe, meta)
  rawset(pipe, 1, poster_of(pipe, reader, priority))
  return pipe
end

meta.__len = methods.__len
meta.__tostring = methods.__tostring
meta.__index = function(pipe, key)
  if key == "write" then return rawget(pipe, 1) end
  return methods[key]
end
B.pipe_meta = meta
