-- Lua that waits for what a function of the host returns: it runs in a coroutine, which yields the function's number.
local agent = ...
-- Coroutines of calls, by their thread; those that wait for the host, by their call.
local threads, waiting = {}, {}

-- What a coroutine yielded or returned: it asks the host, or its call is over.
local function happened(thread, call, ok, ...)
  if ok and coroutine.status(thread) == "suspended" then
    if ... == agent then
      waiting[call] = thread
      agent.send(@ASK@, (select(2, ...)) .. string.char(call), select(3, ...))
      return agent
    end
    threads[thread] = nil
    error("attempt to yield from outside a coroutine", 0)
  end
  threads[thread] = nil
  if not ok then error(..., 0) end
  return ...
end

-- Calls a function for the host; in a coroutine if there is a function of the host among its arguments.
function agent.start(made, ...)
  local call, ok, thread = agent.call, agent.asked
  agent.asked = nil
  if ok and call > 0 then
    ok, thread = pcall(coroutine.create, made) -- 5.1 refuses functions of C, which would not wait anyway
    if ok then
      threads[thread] = true
      return happened(thread, call, coroutine.resume(thread, ...))
    end
  end
  return made(...)
end

local function result(ok, ...)
  if not ok then error(..., 0) end
  return ...
end

-- True if who calls can wait. 5.1 cannot where a function of C stands in between.
function agent.asks()
  if not threads[coroutine.running()] then return false end
  if coroutine.isyieldable then return coroutine.isyieldable() end
  return debug and not debug.traceback():find("[C]", 1, true)
end

function agent.ask(...)
  return result(coroutine.yield(agent, ...))
end

-- The host's answer: the call, whether it went well, values.
function agent.wait_resume(message)
  local _, call, ok = message:byte(3, 5)
  local thread = waiting[call]
  waiting[call] = nil
  if thread then
    agent.call = call
    agent.answer(call, pcall(happened, thread, call, coroutine.resume(thread, ok > 0, agent.values(message, 6))))
  end
end
