-- Stack tracebacks as the chip writes them (app/lua/ldblib.c, app/lua53/lauxlib.c).
--
-- Frames that the chip does not have are left out: helpers of the board (B.hidden), and the C function that a
-- firmware function of ours calls to do its work. Frames of the board itself end the list; what stands below them on
-- the chip are C functions, B.frames of them.
local B = ...
local what = B.is_53 and "nSlft" or "nSlf"
local getinfo, type, tostring, concat = debug.getinfo, type, tostring, table.concat
local is_53 = B.is_53
local hidden = setmetatable({}, {__mode = "k"})
B.hidden = hidden
B.frames = 0
B.rom_names = {}

function B.hide(f) hidden[f] = true return f end

-- True for a function of the firmware that is written in Lua here: its source is "=[C]", as a C function's.
local function ours(i) return i.what ~= "C" and i.source == "=[C]" end

local function global_name(f)
  for name, module in pairs(B.loaded) do
    if type(name) == "string" and type(module) == "table" then
      for key, value in B.raw_next, module do
        if value == f and type(key) == "string" then
          return name == "_G" and key or name .. "." .. key
        end
      end
    end
  end
  return B.rom_names[f]
end
B.global_name = global_name

-- The frames the chip would show from `level` of the calling function on (1 is the caller itself), and what is
-- below them: {source, line, name, namewhat, what, ...} as getinfo gives them.
local function visible(co, level)
  local frames, below = {}, false
  local raw = {}
  while true do
    local i
    if co then i = getinfo(co, level, what) else i = getinfo(level + 1, what) end
    if not i then break end
    if i.source == "=[board]" then below = true break end
    raw[#raw + 1] = i
    level = level + 1
  end
  local n = #raw
  for k = 1, n do
    local i, caller = raw[k], raw[k + 1]
    local called_by_ours = caller and ours(caller)
    if not (hidden[i.func] or (i.what == "C" and called_by_ours)) then
      local above = k + 1
      while raw[above] and hidden[raw[above].func] do above = above + 1 end
      local real = raw[above]
      -- Only Lua code knows by which name it calls: not C, and not the end of the stack.
      if not real or real.what == "C" or ours(real) then i.name, i.namewhat = nil, "" end
      frames[#frames + 1] = i
    end
  end
  if below then
    for _ = 1, B.frames do
      frames[#frames + 1] = {short_src = "[C]", currentline = -1, namewhat = "", what = "C"}
    end
  end
  return frames
end

local function described(i)
  if is_53 then
    local global = i.func and global_name(i.func)
    if global then return "in function '" .. global .. "'" end
    if i.namewhat ~= "" then return "in " .. i.namewhat .. " '" .. tostring(i.name) .. "'" end
    if i.what == "main" then return "in main chunk" end
    if i.what == "C" or ours(i) then return "in ?" end
  else
    if i.namewhat ~= "" then return "in function '" .. tostring(i.name) .. "'" end
    if i.what == "main" and not ours(i) then return "in main chunk" end
    if i.what == "C" or i.what == "tail" or ours(i) then return "?" end
  end
  return "in function <" .. i.short_src .. ":" .. i.linedefined .. ">"
end

-- The chip cuts long lists: 12 (5.3: 10) levels from the top, 10 (11) from the bottom. `first` is the level that the
-- first frame has there.
local function format(frames, message, first)
  local out = {}
  if message then out[1] = message .. "\n" end
  out[#out + 1] = "stack traceback:"
  local last = first + #frames - 1
  local level = first
  local top, bottom = is_53 and 10 or 12, is_53 and 11 or 10
  local left = (is_53 and last - first > top + bottom) and top or -1
  local first_part = not is_53
  while level <= last do
    local i = frames[level - first + 1]
    level = level + 1
    if is_53 and left == 0 then
      out[#out + 1] = "\n\t..."
      level = last - bottom + 1
    elseif first_part and level > top then
      first_part = false
      if level + bottom > last then
        level = level - 1
      else
        out[#out + 1] = "\n\t..."
        level = last - bottom + 1
      end
    else
      out[#out + 1] = "\n\t" .. i.short_src .. ":"
      if i.currentline and i.currentline > 0 then out[#out + 1] = i.currentline .. ":" end
      out[#out + 1] = " " .. described(i)
      if is_53 and i.istailcall then out[#out + 1] = "\n\t(...tail calls...)" end
    end
    left = left - 1
  end
  return concat(out)
end

-- debug.traceback as the handlers of the board call it: `level` 2 is the function that raised.
function B.trace_error(message)
  if message == nil and not is_53 then return message end
  if message ~= nil and type(message) ~= "string" and type(message) ~= "number" then return message end
  local frames = visible(nil, 3)
  return format(frames, message, 2)
end

-- debug.traceback([thread,] [message [, level]])
function B.traceback(...)
  local co, message, level = nil, ...
  if type(message) == "thread" then co, message, level = ... end
  if message == nil and not is_53 and select("#", ...) > (co and 1 or 0) then return message end
  if message ~= nil and type(message) ~= "string" and type(message) ~= "number" then return message end
  level = tonumber(level) or (co and 0 or 1)
  local frames
  if co then
    frames = visible(co, 0)
  else
    frames = visible(nil, 1)
  end
  local kept = {}
  for k = level + 1, #frames do kept[#kept + 1] = frames[k] end
  return format(kept, message, level)
end
