-- The base library where it is not the host's own: output, tables in ROM, loading, collector options, coroutines.
local B = ...
local type, tostring, error, pcall, select = type, tostring, error, pcall, select
local unpack = unpack or table.unpack
local raw_next, getmetatable, setmetatable, rawset, rawget = B.raw_next, getmetatable, setmetatable, rawset, rawget
local hide, wrap, is_53, rotables, rotable_next = B.hide, B.wrap, B.is_53, B.rotables, B.rotable_next
local argument_fault, getinfo, match = B.argument_fault, debug.getinfo, string.match
local G = B.globals
local base, order = {}, {}
B.base, B.base_order = base, order

local function define(name, f)
  base[name] = f
  order[#order + 1] = name
end

local check_any = hide(function(count, number)
  if count < number then argument_fault(2, number, "value expected") end
end)
local check_table = hide(function(value, count, number)
  if type(value) ~= "table" then
    argument_fault(2, number, "table expected, got " .. (count < number and "no value" or type(value)))
  end
end)
B.check_any, B.check_table = check_any, check_table

-- tostring of a float on 5.3: the chip's floats are 32-bit, "%.7g" (LUAI_NUMFFORMAT).
local format, math_type, find = string.format, math.type, string.find
local function plain_tostring(value)
  if math_type(value) == "float" then
    local text = format("%.7g", value)
    if not find(text, "[^-0-9]") then text = text .. ".0" end
    return text
  end
  return tostring(value)
end
B.raw_tostring = is_53 and plain_tostring or tostring

define("assert", assert)
define("collectgarbage", wrap(B.python.collectgarbage, B.resume))
define("dofile", wrap(B.python.dofile, B.resume))
define("error", error)
if gcinfo then define("gcinfo", wrap(B.python.gcinfo, B.resume)) end
if getfenv then define("getfenv", getfenv) end
define("getmetatable", function(...)
  check_any(select("#", ...), 1)
  local t = ...
  if rotables[t] then
    local meta = B.rotable_meta(t)
    return meta and (meta.__metatable or meta) or nil
  end
  local meta = getmetatable(t)
  return meta
end)
if is_53 then define("ipairs", ipairs) end
define("loadfile", wrap(B.python.loadfile, B.resume))
define("load", wrap(B.python.load, B.resume))
define("loadstring", is_53 and base.load or wrap(B.python.loadstring, B.resume))
define("next", function(...)
  local t, key = ...
  if rotables[t] then return rotable_next(t, key) end
  if t == G and B.global_next then return B.global_next(key) end
  check_table(t, select("#", ...), 1)
  if key == nil then return raw_next(t) end
  local ok, k, v = pcall(raw_next, t, key)
  if not ok then error(k, 0) end
  return k, v
end)
local board_next = base.next
if is_53 then
  define("pairs", function(...)
    check_any(select("#", ...), 1)
    local t = ...
    if not rotables[t] then
      local meta = getmetatable(t)
      local method = type(meta) == "table" and rawget(meta, "__pairs")
      if method then
        local f, s, k = method(t)
        return f, s, k
      end
    end
    return board_next, t, nil
  end)
end
define("pcall", pcall)
define("print", function(...)
  local to_string = G.tostring
  for k = 1, select("#", ...) do
    local text = to_string((select(k, ...)))
    local kind = type(text)
    if kind ~= "string" then
      if kind ~= "number" then error("'tostring' must return a string to 'print'", 2) end
      text = tostring(text)
    end
    if k > 1 then B.output("\t") end
    B.output(text)
  end
  B.output("\n")
end)
define("rawequal", rawequal)
if rawlen then define("rawlen", rawlen) end
define("rawget", function(...)
  local count = select("#", ...)
  local t, key = ...
  if rotables[t] then return rotables[t][key] end
  check_table(t, count, 1)
  check_any(count, 2)
  return (rawget(t, key))
end)
define("rawset", function(...)
  local count = select("#", ...)
  local t, key, value = ...
  if rotables[t] then error("table is readonly", 0) end
  check_table(t, count, 1)
  check_any(count, 2)
  check_any(count, 3)
  if key == nil then error("table index is nil", 0) end
  if key ~= key then error("table index is NaN", 0) end
  rawset(t, key, value)
  return t
end)
define("select", select)
local setfenv = setfenv
if setfenv then
  define("setfenv", function(...)
    local f, environment = ...
    if type(f) == "function" and type(environment) == "table" and getinfo(f, "S").source == "=[C]" then
      error("'setfenv' cannot change environment of given object", 2)
    end
    -- A level counts from the caller, who lies two deeper for the host's own function.
    if type(f) == "number" and f >= 1 then f = f + 2 end
    local ok, result = pcall(setfenv, f, environment)
    if not ok then
      local number, text = match(result, "^bad argument #(%d+) to '[^']*' %((.*)%)$")
      if number then argument_fault(1, tonumber(number), text) end
      error(result, 2)
    end
    return result
  end)
end
define("setmetatable", setmetatable)
-- With a base strtoul reads the number, which has 32 bits on the chip (lbaselib.c luaB_tonumber).
local MOST, CONVERSION = 4294967295, 12
local tonumber, gsub = tonumber, string.gsub
define("tonumber", is_53 and tonumber or function(...)
  B.spent = B.spent + CONVERSION
  check_any(select("#", ...), 1)
  local text, number_base = ...
  if number_base == nil or number_base == 10 then
    local number = tonumber(text)
    return number
  end
  local ok, number = pcall(tonumber, ...)
  if not ok then B.reraise(number) end
  if number and match(text, "^%s*%-") then
    number = tonumber((gsub(text, "%-", "", 1)), number_base)
    if number <= MOST then return (MOST + 1 - number) % (MOST + 1) end
  end
  return number and number > MOST and MOST or number
end)
if is_53 then
  define("tostring", function(...)
    check_any(select("#", ...), 1)
    local value = ...
    if math_type(value) == "float" then return plain_tostring(value) end
    local meta = getmetatable(value)
    local method = type(meta) == "table" and rawget(meta, "__tostring")
    if method then
      local text = method(value)
      if type(text) ~= "string" and type(text) ~= "number" then error("'__tostring' must return a string", 2) end
      return text
    end
    return (tostring(value))
  end)
else
  -- A function of its own, so that it has a frame when `__tostring` raises.
  define("tostring", function(...)
    check_any(select("#", ...), 1)
    local text = tostring((...))
    if B.is_2x then
      local kind = B.type_2x((...))
      if kind == "romtable" or kind == "lightfunction" then text = kind .. match(text, ":.*") end
    end
    return text
  end)
end
define("type", B.is_2x and function(...)
  check_any(select("#", ...), 1)
  local name = B.type_2x((...))
  return name
end or type)
define("unpack", unpack or table.unpack)
-- The host raises "not enough memory" and the end of a task like any error; on the chip neither reaches a handler.
local xpcall = xpcall
define("xpcall", function(...)
  local f, handler = ...
  local count = select("#", ...)
  if is_53 and type(handler) ~= "function" then
    argument_fault(1, 2, "function expected, got " .. (count < 2 and "no value" or type(handler)))
  end
  check_any(count, 2)
  local guarded = type(handler) ~= "function" and handler or hide(function(message)
    if B.halted or (B.out_of_memory and message == "not enough memory") then return message end
    return (handler(message))
  end)
  local results
  local function keep(...) results = {n = select("#", ...), ...} end
  if is_53 then keep(xpcall(f, guarded, select(3, ...))) else keep(xpcall(f, guarded)) end
  return unpack(results, 1, results.n)
end)

-- Output of print, results and prompts: to the pipe of node.output, or to the UART (node.c output_redirect).
B.serial = true
function B.output(text)
  local pipe = B.stdout
  if not pipe then return B.send(text) end
  if B.serial then B.send(text) end
  local ok, message = pcall(pipe[1], pipe, text)
  if not ok and not B.halted then B.output_failed(message) end
end
-- 2.x: a function gets each piece as a C string, at once, and its errors are those of who prints.
if B.is_2x then
  B.output = function(text)
    local f = B.stdout
    if not f or B.serial then B.send(text) end
    if f then f(match(text, "^%Z*")) end
  end
end
hide(B.output)

-- Globals that live in RAM on 5.1 (luaopen_base).
if not is_53 then
  B.ram = {
    ipairs = ipairs,
    pairs = function(...)
      local t = ...
      if not rotables[t] then check_table(t, select("#", ...), 1) end
      return board_next, t, nil
    end,
    newproxy = newproxy,
  }
end

