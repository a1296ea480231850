-- Empty the host's globals and lay out what a program finds: _G in RAM, everything else in ROM behind it.
local B = ...
local G, R, base = B.globals, B.rotable, B.base
local is_53, setmetatable, rawget, raw_next, type = B.is_53, setmetatable, rawget, B.raw_next, type
local host = {}
for key, value in raw_next, G do host[key] = value end

local function names(values, list)
  local order = {}
  for name in string.gmatch(list, "%S+") do
    if values[name] ~= nil then order[#order + 1] = name end
  end
  return order
end

local function pick(library, list)
  local values = {}
  for name in string.gmatch(list, "%S+") do values[name] = library[name] end
  return values, names(values, list)
end

-- string: the metatable of strings points at the real table, so that s:f() costs no detour.
local STRINGS = is_53 and "byte char dump find format gmatch gsub len lower match rep reverse sub upper pack packsize unpack"
  or "byte char dump find format gfind gmatch gsub len lower match rep reverse sub upper"
local string_values, string_order = pick(host.string, STRINGS)
local table_values, table_order = pick(host.table, is_53 and "concat insert pack unpack move remove sort"
  or "concat foreach foreachi getn maxn insert remove setn sort")
string_values.format = B.narrow_format(string_values.format)
if is_53 then
  string_values.rep = B.bounded_rep(string_values.rep)
else
  string_values.gfind = host.string.gfind or host.string.gmatch
  B.limit_strings(string_values, table_values)
end
string_values.dump = B.dump
local format, unpack = string_values.format, unpack or table.unpack
string_values.__mod = function(text, value)
  if type(value) == "table" then return (format(text, unpack(value, 1, #value))) end
  return (format(text, value))
end
-- What rewritten chunks call hides behind `__index` of the hidden metatable, out of a program's sight.
local string_meta = B.raw_getmetatable("")
local string_index = setmetatable({}, {__index = string_values})
if not is_53 then
  string_index["\0concat"] = B.concat_check
end
for key, f in raw_next, B.operations or {} do string_index[key] = f end
for name, f in raw_next, string_values do string_index[name] = f end
string_meta.__index = string_index
if B.is_2x then string_values.__mod = nil end
string_meta.__mod = string_values.__mod
table.insert(string_order, 1, "__index")
table.insert(string_order, 2, "__mod")
local strings = R(string_values, string_order)
string_values.__index = strings
string_meta.__metatable = strings

local debug_values, debug_order
if is_53 then
  debug_values, debug_order = pick(host.debug, "getuservalue getinfo getlocal getmetatable getupvalue upvaluejoin "
    .. "upvalueid setuservalue setlocal setmetatable setupvalue")
  local hooks = setmetatable({}, {__mode = "k"})
  debug_values.sethook = function() end
  debug_values.gethook = function() return nil end
else
  debug_values, debug_order = {}, {}
end
local registry = {}
B.registry = registry
debug_values.getregistry = function() return registry end
debug_values.getstrings = function() return {} end
debug_values.traceback = B.traceback
for _, name in ipairs({"getregistry", "getstrings", "sethook", "gethook", "traceback"}) do
  if debug_values[name] then debug_order[#debug_order + 1] = name end
end
if is_53 then
  debug_order = names(debug_values, "getuservalue gethook getinfo getlocal getregistry getstrings getmetatable "
    .. "getupvalue upvaluejoin upvalueid setuservalue sethook setlocal setmetatable setupvalue traceback")
end
B.board_traceback = B.traceback

local math_values, math_order = pick(host.math, is_53
  and "abs acos asin atan ceil cos deg exp tointeger floor fmod ult log max min modf rad random randomseed sin sqrt tan "
    .. "type pi huge maxinteger mininteger"
  or "abs ceil floor max min pow random randomseed sqrt pi huge")
if B.integers then
  -- The integer build of 5.1 (LUA_NUMBER_INTEGRAL) has no pi, and its largest number is that of an int.
  math_values.huge, math_values.pi = 2147483647, nil
  table.remove(math_order, #math_order - 1)
end
if is_53 then math_values.maxinteger, math_values.mininteger = 2147483647, -2147483648 end

local ROM = {}
local ROM_order = {}
local function add(name, value)
  ROM[name] = value
  ROM_order[#ROM_order + 1] = name
end
add("string", strings)
add("table", R(table_values, table_order))
add("debug", R(debug_values, debug_order))
add("coroutine", R(B.coroutine, B.coroutine_order))
add("math", R(math_values, math_order))
if is_53 then add("utf8", R(pick(host.utf8, "offset codepoint char len codes charpattern"))) end
for k = 1, #B.base_order do ROM[B.base_order[k]] = base[B.base_order[k]] end
local rom = R(ROM, ROM_order)
if not B.is_2x then
  ROM.ROM = rom
  ROM_order[#ROM_order + 1] = "ROM"
  B.extend_rotable(rom, "ROM", rom)
end
for k = 1, #B.base_order do B.extend_rotable(rom, B.base_order[k], base[B.base_order[k]]) end
B.ROM, B.rom_values = ROM, ROM
B.rom = rom

-- Names of functions in ROM, as 5.3 finds them (lauxlib.c pushglobalfuncname).
function B.name_functions(prefix, values)
  for name, f in raw_next, values do
    if type(f) == "function" and not B.rom_names[f] then B.rom_names[f] = prefix .. "." .. name end
  end
end
B.name_functions("ROM", base)
B.name_functions("string", string_values)
B.name_functions("table", table_values)
B.name_functions("debug", debug_values)
B.name_functions("coroutine", B.coroutine)
B.name_functions("math", math_values)

-- Values of the VM that Python holds: functions, tables, userdata and threads. (A number is a slot that is free.)
local host_registry = host.debug.getregistry()
function B.references()
  local count = 0
  for key, value in raw_next, host_registry do
    if type(key) == "number" and type(value) ~= "number" then count = count + 1 end
  end
  return count
end

-- Where 5.3's own C functions look for the name of a function that was called without one (lauxlib.c luaL_argerror).
if is_53 then
  local loaded = host_registry._LOADED
  for key in raw_next, loaded do loaded[key] = nil end
  loaded.ROM, loaded.string, loaded.table, loaded.math = base, string_values, table_values, math_values
end

for key in raw_next, host do G[key] = nil end
G._G = G
G._VERSION = is_53 and "Lua 5.3" or "Lua 5.1"
if is_53 then
  setmetatable(G, {__index = rom})
else
  for name, f in raw_next, B.ram do G[name] = f end
  G.module = B.module
  G.__index = rom
  setmetatable(G, G)
end
G.package = B.package
G.require = B.require
B.loaded._G = G
B.loaded.package = B.package

-- 5.1: the globals in the order of a table to which the chip's libraries and then the program have added them.
if not is_53 then
  local added = {"_G", "_VERSION", "ipairs", "pairs", "newproxy", "__index", "package", "module", "require"}
  local is_added, order, position = {}, {}, {}
  for k = 1, #added do is_added[added[k]] = true end
  local function arrange()
    for key in raw_next, G do
      if type(key) ~= "string" then return false end
      if not is_added[key] then
        is_added[key] = true
        added[#added + 1] = key
      end
    end
    order, position = B.key_order(unpack(added)), {}
    for k = 1, #order do position[order[k]] = k end
    return true
  end
  B.global_next = B.hide(function(key)
    if key == nil and not arrange() then order = {} end
    local k = key == nil and 0 or position[key]
    if not k or #order == 0 then return raw_next(G, key) end
    repeat
      k = k + 1
      key = order[k]
    until key == nil or rawget(G, key) ~= nil
    if key ~= nil then return key, rawget(G, key) end
  end)
end

-- A module of the firmware, in ROM.
function B.add_module(name, values, order)
  local module = R(values, order)
  B.extend_rotable(rom, name, module)
  B.name_functions(name, values)
  return module
end

function B.rom_get(values, name) return values[name] end
function B.kilobytes() return B.count("count") end
