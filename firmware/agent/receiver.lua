-- Frames in, and what messages do; bridge/wire/PROTOCOL.md.
local agent = ...
local byte, char, sub, early, objects, send = string.byte, string.char, string.sub, agent.early, agent.objects, agent.send
-- Functions by number; source that waits for its call; fragments of the message that is coming in.
local shapes, source, parts = {}, {}, {}

function agent.fault(text)
  send(@FAULT@, "", text)
end

-- Something happened to an object.
function agent.emit(number, event, ...)
  send(@EVENT@, agent.two(number) .. char(event), ...)
end

-- A function that catches its own errors: outside, they would restart the board.
function agent.guard(f)
  return function(...)
    local ok, text = pcall(f, ...)
    if not ok then pcall(agent.fault, text) end
  end
end

-- Ends a call. A function that returns `agent` itself does so later, by the number it found in `agent.call`.
function agent.answer(call, ok, ...)
  if ok and ... == agent then return end
  if call > 0 then
    send(ok and @REPLY@ or @FAILURE@, char(call), ...)
  elseif not ok then
    agent.fault(...)
  end
end

-- Calls a function by its number; source that came before makes it first. Number 0 is source that runs once.
local function run(message, shape)
  if source[1] then
    local at, pieces = 0, source
    source = {}
    local f = assert(load(function()
      at = at + 1
      return pieces[at]
    end, "=lua"))
    if shape > 0 then f = f(agent) end
    shapes[shape] = f
  end
  return shapes[shape](agent.values(message, 3))
end

local function dispatch(message)
  local op, a, b = byte(message, 1, 3)
  if op == @SOURCE@ then
    source[#source + 1] = sub(message, 2)
  elseif op == @TUNE@ then
    agent.tune(a, b)
  else
    agent.call = a
    op, b = pcall(agent.answer, a, pcall(run, message, op))
    if not op then agent.answer(a, false, b) end
  end
end

-- A frame as the UART delivers it, up to its NUL. Raises an error if it is none.
local function receive(data)
  local n = #data
  if n < 2 then return end
  local nul, lf, cr = byte(data, 1, 3)
  data = sub(data, 4, n - 1)
  -- A host that knows no epoch, because it has just come, may still ask for the prompt.
  if data == "@STOP_WORD@" then return agent.leave() end
  data = data:gsub(char(nul), "\0"):gsub(char(lf), "\10"):gsub(char(cr), "\13")
  local x, y, z = byte(data, n - 6, n - 4)
  data = sub(data, 1, n - 7)
  local a, b, c = agent.check(data, @SEED_IN@)
  if a ~= x or b ~= y or c ~= z then error() end
  local head, mask, at = byte(data), 0, 2
  if head % 64 > 31 then
    x, y = byte(data, 2, 3)
    mask = x * 256 + y
    at = 4
  end
  agent.acknowledged(head % 32, mask)
  a = byte(data, at)
  if a or head > 127 then agent.owed = true end
  local expected = agent.expected
  if a and (a - expected) % 32 < @WINDOW@ then
    early[a % 32] = sub(data, at)
    data = early[expected]
    while data do
      early[expected] = nil
      expected = (expected + 1) % 32
      agent.expected = expected
      parts[#parts + 1] = sub(data, 2)
      if byte(data) < 64 then
        data = table.concat(parts)
        parts = {}
        dispatch(data)
      end
      data = early[expected]
    end
  end
  agent.wake()
end

-- The prompt comes back from a timer: leaving raw mode inside a raw callback crashes the chip.
function agent.leave()
  tmr.create():alarm(20, 0, function()
    agent.ended = true
    agent.timer:unregister()
    for _, object in pairs(objects) do
      pcall(function() object:unregister() end)
      pcall(function() object:close() end)
    end
    uart.on("data")
    if node.egc then node.egc.setmode(node.egc.ALWAYS, 4096) end
  end)
end

-- Called by the bootstrap when everything is here.
function agent.start()
  uart.on("data", "\0", function(data)
    if not pcall(receive, data) then
      agent.nak = true
      agent.wake()
    end
  end, 0)
  send(@HELLO@, "@DIGEST@", node.heap(), _VERSION)
end
