-- The world of a recorded statement, on the host: what it calls goes through the mirror instead of to C.
-- A call of the mirror is awaited by Python, so it yields: `invoke` gives (object, name, arguments) and gets back what
-- came of it.
local out, look, show, py_len, py_set, collect = ...
local proxies, objects, methods = setmetatable({}, { __mode = "v" }), setmetatable({}, { __mode = "k" }), {}
local create, resume, status, yield = coroutine.create, coroutine.resume, coroutine.status, coroutine.yield
local stock_type, stock_tostring = type, tostring

local function finish(ok, ...)
  if ok then return ... end
  error((...), 0)
end

local function invoke(...)
  return finish(yield(...))
end

-- A method is one function for all objects of its class, as in C, and takes its object first.
local function method(class, name)
  local key = class .. "." .. name
  methods[key] = methods[key] or function(...)
    return invoke("method", class, name, ...)
  end
  return methods[key]
end

local function member(self, name)
  local kind, value = look(objects[self], name)
  if kind == "error" then error(value, 0) end
  if kind == "method" then return method(value, name) end
  if kind == "function" then
    return function(...)
      return invoke("function", value, ...)
    end
  end
  return value
end

-- What stands for a Python object; the same one as long as somebody holds it.
local function proxy(id, object, class)
  local found = proxies[id]
  if not found then
    found = newproxy(true)
    local meta = getmetatable(found)
    meta.__index, meta.__metatable = member, "<class '" .. class .. "'>"
    meta.__newindex = function(self, name, value)
      py_set(objects[self], name, value)
    end
    meta.__call = function(self, ...)
      return invoke("function", objects[self], ...)
    end
    meta.__tostring = function(self)
      return show(objects[self])
    end
    meta.__len = function(self)
      local kind, text = py_len(objects[self])
      if kind == "error" then error(text, 0) end
      return text
    end
    proxies[id], objects[found] = found, object
  end
  return found
end

function type(value)
  return objects[value] and look(objects[value], "__class__") or stock_type(value)
end

function print(...)
  local texts = {}
  for at = 1, select("#", ...) do
    texts[at] = stock_tostring((select(at, ...))):match("^%Z*") -- the console's print stops at NUL
  end
  out(table.concat(texts, "\t"))
end

-- Lua 5.1 cannot yield out of its own.
function pcall(work, ...)
  local thread = create(function(...)
    return work(...)
  end)
  local function go_on(ok, ...)
    if ok and status(thread) ~= "dead" then return go_on(resume(thread, yield(...))) end
    return ok, ...
  end
  return go_on(resume(thread, ...))
end

local stock_collect = collectgarbage
function collectgarbage()
  stock_collect()
  collect()
  stock_collect()
end

io = nil

-- A thread for a function: called, it runs on until the function calls the mirror ("call", what), ends ("done", results)
-- or raises ("error", text).
local function begin(work)
  local thread = create(work)
  local function went(ok, ...)
    if not ok then return "error", stock_tostring((...)) end
    return status(thread) == "dead" and "done" or "call", ...
  end
  return function(...)
    return went(resume(thread, ...))
  end
end

local function object_of(value)
  return objects[value]
end

return proxy, begin, object_of
