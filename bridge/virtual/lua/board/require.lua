-- package, require and (5.1) module: app/lua/loadlib.c, app/lua53/loadlib.c. There are no C loaders on the board.
local B = ...
local type, tostring, error, setmetatable = type, tostring, error, setmetatable
local select, rawget = select, rawget
local gsub, gmatch, find, sub = string.gsub, string.gmatch, string.find, string.sub
local hide, argument_fault, is_53 = B.hide, B.argument_fault, B.is_53
local load_file, exists = B.wrap(B.python_load_file, B.resume), B.wrap(B.python_file_exists, B.resume)
local G = B.globals
local loaded, preload = B.loaded, {}
local package = {loaded = loaded, preload = preload, path = "?.lc;?.lua"}
local SEARCHERS = is_53 and "searchers" or "loaders"
-- Stands for a module that is being loaded (5.1); not a table, which would be taken for the module.
local function sentinel() end

local check_string = hide(function(value, count)
  if type(value) == "number" then return tostring(value) end
  if type(value) ~= "string" then
    argument_fault(2, 1, "string expected, got " .. (count == 0 and "no value" or type(value)))
  end
  return value
end)

local function search(name, path, separator, directory)
  if separator ~= "" then name = gsub(name, (gsub(separator, "%W", "%%%0")), (gsub(directory, "%%", "%%%%"))) end
  local message = ""
  for template in gmatch(path, "[^;]+") do
    local file = gsub(template, "%?", (gsub(name, "%%", "%%%%")))
    if exists(file) then return file end
    message = message .. "\n\tno file '" .. file .. "'"
  end
  return nil, message
end

local function preloader(...)
  local name = check_string((...), select("#", ...))
  local table = is_53 and preload or (type(G.package) == "table" and G.package.preload)
  if type(table) ~= "table" then error("'package.preload' must be a table", 2) end
  local loader = table[name]
  if loader == nil then return "\n\tno field package.preload['" .. name .. "']" end
  return loader
end

local function lua_loader(...)
  local name = check_string((...), select("#", ...))
  local from = is_53 and package or G.package
  if type(from.path) ~= "string" then error("'package.path' must be a string", 2) end
  local file, missing = search(name, from.path, ".", "/")
  if not file then return missing end
  local f, message = load_file(file)
  if not f then
    error("error loading module '" .. name .. "' from file '" .. file .. "':\n\t" .. tostring(message), 2)
  end
  if is_53 then return f, file end
  return f
end

-- There is nothing to load C from: cpath is empty, so these find nothing and say nothing.
local function c_loader() return "" end
package[SEARCHERS] = is_53 and {preloader, lua_loader} or {preloader, lua_loader, c_loader, c_loader}
if is_53 then package.loaders = package.searchers end
package.config = is_53 and "/\n;\n?\n!\n-\n" or "/\n;\n?\n!\n-"
if is_53 then
  package.searchpath = function(name, path, separator, directory)
    local file, missing = search(name, path, separator or ".", directory or "/")
    if file then return file end
    return nil, missing
  end
else
  package.cpath = ""
  package.seeall = function(module)
    if type(module) ~= "table" then argument_fault(1, 1, "table expected, got " .. type(module)) end
    local meta = B.raw_getmetatable(module)
    if not meta then meta = {} setmetatable(module, meta) end
    meta.__index = G
  end
end
B.package = package

function B.require(...)
  local name = check_string((...), select("#", ...))
  local value = loaded[name]
  if value then
    if value == sentinel then error("loop or previous error loading module '" .. name .. "'", 2) end
    return value
  end
  if is_53 then
    local module = B.ROM[name]
    if module then return module end
  elseif type(G[name]) == "table" then
    return G[name]
  end
  local from = is_53 and package or G.package
  local loaders = type(from) == "table" and from[SEARCHERS]
  if type(loaders) ~= "table" then error("'package." .. SEARCHERS .. "' must be a table", 2) end
  local message, f, extra = "", nil, nil
  local k = 0
  repeat
    k = k + 1
    local loader = loaders[k]
    if loader == nil then error("module '" .. name .. "' not found:" .. message, 2) end
    f, extra = loader(name)
    if type(f) == "string" then message = message .. f end
  until type(f) == "function"
  if not is_53 then loaded[name] = sentinel end
  local result
  if is_53 then result = f(name, extra) else result = f(name) end
  if result ~= nil then loaded[name] = result end
  if loaded[name] == sentinel or loaded[name] == nil then loaded[name] = true end
  return loaded[name]
end

if is_53 then return end

local getinfo, setfenv = debug.getinfo, setfenv

function B.module(...)
  local name = check_string((...), select("#", ...))
  if type(G[name]) == "table" then return end
  local module = loaded[name]
  if type(module) ~= "table" then
    module = G
    for part in gmatch(name, "[^.]+") do
      local inner = rawget(module, part)
      if inner == nil then
        inner = {}
        module[part] = inner
      elseif type(inner) ~= "table" then
        error("name conflict for module '" .. name .. "'", 2)
      end
      module = inner
    end
    loaded[name] = module
  end
  if module._NAME == nil then
    module._M, module._NAME = module, name
    module._PACKAGE = gsub(name, "[^.]*$", "")
  end
  local caller = getinfo(2, "fS")
  if not caller or caller.what == "C" then error("'module' not called from a Lua function", 2) end
  setfenv(caller.func, module)
  for k = 2, select("#", ...) do (select(k, ...))(module) end
end
