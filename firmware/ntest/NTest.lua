-- The interface of the firmware's test library (tests/NTest/NTest.md there) for boards without LFS: less of the heap, and
-- no module `debug`. Its authors' own, which needs LFS, may be used in its place.
local ABORT = "_*_TestAbort_*_"
local HELPERS = { "ok", "nok", "fail", "eq", "spy" }
local pcall, type, tostring = pcall, type, tostring

-- True, or a table that says in `msg` what differs.
local function eq(a, b)
  if a == b then return true end
  local kind, other, why = type(a), type(b)
  if kind ~= other then
    why = kind .. " and " .. other
  elseif kind == "table" then
    for key, value in pairs(a) do
      local same = eq(value, b[key])
      if same ~= true then
        return { msg = "[" .. tostring(key) .. "] " .. same.msg }
      end
    end
    for key in pairs(b) do
      if a[key] == nil then
        return { msg = "[" .. tostring(key) .. "] is on the right only" }
      end
    end
    return true
  elseif kind == "function" and string.dump(a) == string.dump(b) then
    return true
  else
    why = tostring(a) .. " and " .. tostring(b)
  end
  return { msg = why .. " differ" }
end

local function keep(self, at, good, ...)
  if good then return ... end
  self.errors = self.errors or {}
  self.errors[at] = (...)
end

local function spy(f)
  return setmetatable({}, { __call = function(self, ...)
    local called = self.called or {}
    self.called = called
    called[#called + 1] = { ... }
    if f then return keep(self, #called, pcall(f, ...)) end
  end })
end

local defaults = { env = _G, outputhandler = print }
defaults.__index = defaults

return function(run)
  local N, queue, started = setmetatable({}, defaults), {}
  local begin

  local function ended(test, why)
    if test ~= queue[1] then return end
    local env = test.env
    if why ~= nil and not tostring(why):find(ABORT, 1, true) then
      N.outputhandler("except", test.name, tostring(why))
    end
    if node.setonerror then node.setonerror() end
    for _, name in ipairs(HELPERS) do
      env[name] = test[name]
    end
    N.outputhandler("end", test.name)
    table.remove(queue, 1)
    collectgarbage()
    if queue[1] then return node.task.post(node.task.LOW_PRIORITY, begin) end
    N.outputhandler("finish", run)
  end

  local function verdict(name, good, msg, why)
    if msg == nil then
      -- Where the test called: above are pcall, this function and the helper.
      local _, where = pcall(error, "", 4)
      msg = where:gsub(": $", "")
    end
    N.outputhandler(good and "pass" or "fail", name, msg, why)
    if not good then error(ABORT, 0) end
  end

  function begin()
    local test, env = queue[1], N.env
    local name = test.name
    test.env = env
    for _, helper in ipairs(HELPERS) do
      test[helper] = env[helper]
    end
    env.eq, env.spy = eq, spy
    function env.ok(cond, msg)
      local why = type(cond) == "table" and cond.msg or nil
      verdict(name, cond and not why, msg, why)
    end
    function env.nok(cond, msg)
      local why = type(cond) == "table" and cond.msg or nil
      verdict(name, not cond or why, msg)
    end
    function env.fail(f, expected, msg)
      local good, why = pcall(f)
      if good then
        why = "no error"
      elseif not expected or tostring(why):find(expected) then
        good, why = true
      else
        why = tostring(why)
      end
      verdict(name, good and not why, msg, why and "expected an error" .. (expected and " with \"" .. expected .. "\"" or "") .. ", got " .. why)
    end
    N.outputhandler("begin", name)
    if node.setonerror then
      node.setonerror(function(why) ended(test, why or ABORT) end)
    end
    local done = test.async and function(why) ended(test, why) end
    local good, why = pcall(test.f, done)
    if not good or not done then ended(test, why) end
  end

  local function add(name, f, async)
    if not started then
      started = true
      N.outputhandler("start", run)
    end
    queue[#queue + 1] = { name = name, f = f, async = async }
    if #queue == 1 then node.task.post(node.task.LOW_PRIORITY, begin) end
  end

  function N.test(name, f) add(name, f) end

  function N.testasync(name, f) add(name, f, true) end

  function N.testco(name, f)
    add(name, function(done)
      local co = coroutine.create(f)
      local function resume(...)
        local good, why = coroutine.resume(co, ...)
        if not good then return done(why) end
        if coroutine.status(co) == "dead" then done() end
      end
      resume(function(callback)
        return function(...)
          if coroutine.status(co) == "suspended" then return resume(callback, ...) end
          N.outputhandler("fail", name, "stray callback " .. tostring(callback))
        end
      end, coroutine.yield)
    end, true)
  end

  return N
end
