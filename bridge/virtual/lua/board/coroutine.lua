-- Coroutines. Each has a count hook of its own, and all are resumed through the host's coroutine.wrap: it leaves
-- nothing on the resuming stack, as Python needs it that calls Lua while a coroutine runs (coroutine.resume leaves
-- the coroutine there, and lupa takes what lies on the stack for results).
local B = ...
local type, error, pcall, select, unpack = type, error, pcall, select, unpack or table.unpack
local getinfo = debug.getinfo
local host_wrap, running, yield = coroutine.wrap, coroutine.running, coroutine.yield
local hide, argument_fault, is_53, enter = B.hide, B.argument_fault, B.is_53, B.enter
local status = coroutine.status
-- coroutine -> function that resumes it. The function holds its coroutine, so a coroutine that nobody holds would never
-- go if this table held the function: the coroutine's own stack does.
local go_on = setmetatable({}, {__mode = "kv"})
local co = {}
B.coroutine, B.coroutine_order = co, {"create", "resume", "running", "status", "wrap", "yield"}
co.running, co.status, co.yield = running, status, yield
if is_53 then
  co.isyieldable = coroutine.isyieldable
  B.coroutine_order[7] = "isyieldable"
end

-- 5.1 makes no coroutines of C functions.
local is_lua = hide(function(f)
  local i = getinfo(f, "S")
  return is_53 or (i.what ~= "C" and i.source ~= "=[C]")
end)

local check_function = hide(function(f, count)
  if type(f) == "function" and is_lua(f) then return end
  argument_fault(2, 1, is_53 and "function expected, got " .. (count == 0 and "no value" or type(f))
    or "Lua function expected")
end)

-- (Through pass, so that f is not a tail call: the chip has no frame below a coroutine's function.)
local pass = hide(function(...) return ... end)
local make = hide(function(f)
  local start = hide(function(...) return pass(f(...)) end)
  local resume = host_wrap(hide(function()
    local mine = yield((running()))
    return pass(start(yield(mine)))
  end))
  local thread = resume()
  go_on[thread] = resume
  resume(resume)
  B.install_hook(thread)
  return thread
end)

-- For the heap model: functions in which closures are made that the chip does not have like this, and a host's coroutine.
B.makers = {coroutine = make, host_wrap = host_wrap(function() end)}

function co.create(...)
  local f = ...
  check_function(f, select("#", ...))
  local thread = make(f)
  return thread
end

function co.resume(...)
  local thread = ...
  if type(thread) ~= "thread" then
    argument_fault(1, 1, is_53 and "thread expected" or "coroutine expected")
  end
  local results
  local function keep(...) results = {n = select("#", ...), ...} end
  local resume = go_on[thread]
  local state = status(thread)
  if not resume then return false, "cannot resume " .. (state == "dead" and "dead" or "non-suspended") .. " coroutine" end
  if (is_53 and (state == "running" or state == "normal")) then
    return false, "cannot resume non-suspended coroutine"
  end
  local before = enter(thread)
  keep(pcall(resume, select(2, ...)))
  enter(before)
  return unpack(results, 1, results.n)
end

local finish = hide(function(ok, ...)
  if ok then return ... end
  local message = ...
  if type(message) == "string" then error(message, 3) end
  error(message, 0)
end)

function co.wrap(...)
  local f = ...
  check_function(f, select("#", ...))
  local thread = make(f)
  local resume = go_on[thread]
  return function(...)
    local results
    local function keep(...) results = {n = select("#", ...), ...} end
    local before = enter(thread)
    keep(pcall(resume, ...))
    enter(before)
    keep(finish(unpack(results, 1, results.n)))
    return unpack(results, 1, results.n)
  end
end
B.makers.resume, B.makers.wrap = co.resume, co.wrap
