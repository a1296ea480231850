-- The link's board side: frames out and in, order, acknowledgement, and what messages do; bridge/wire/PROTOCOL.md.
-- The host finds out what was lost, both ways; here is only what must be here.
local agent = ...
local byte, char, sub, write, check, objects = string.byte, string.char, string.sub, uart.write, agent.check, agent.objects
-- Messages to send, and where in the first one the next fragment starts; sent frames by number, until acknowledged;
-- those to send again; frames that came early, by number; fragments of the message that is coming in.
local queue, offset, frames, again, early, parts = {}, 1, {}, {}, {}, {}
local base, next_seq, expected = 0, 0, 0
local fragment, patience = @FRAGMENT@, @PATIENCE@
local wait = patience
local shapes, source = {}, {}
local posted, owed, nak
local timer = tmr.create()
agent.queue = queue

-- One frame on the line: a NUL, then header, payload and check with their NULs replaced by a key that they lack.
local function frame(data)
  local head, sack, bit = expected, 0, 1
  if nak then head = head + 64 end
  if next(early) then
    for seq = head + 1, head + 16 do
      if early[seq % 32] then sack = sack + bit end
      bit = bit * 2
    end
    data = char(head + 32) .. agent.two(sack) .. data
  else
    data = char(head) .. data
  end
  data = data .. char(check(data, @SEED_OUT@))
  bit = 128
  while data:find(char(bit), 1, true) do
    bit = bit % 255 + 1
    if bit == 37 then bit = 38 end
  end
  write(0, 0, bit, (data:gsub("%z", char(bit))), 0)
  owed, nak = nil, nil
end

-- Each frame is a task of its own, because `uart.write` holds the CPU while the bytes leave.
local function wake()
  posted = posted or pcall(node.task.post, agent.pump)
end

-- Sends one frame, the most urgent one.
local function pump()
  local seq = next(again)
  if seq then
    again[seq] = nil
  else
    local message = queue[1]
    seq = next_seq
    if message and (seq - base) % 32 < (fragment < @LONG_PAYLOAD@ and @WINDOW@ or @WINDOW_OF_LONG@) then
      local stop = offset + fragment
      local more = stop <= #message
      frames[seq] = char(more and seq + 64 or seq + 32) .. sub(message, offset, stop - 1)
      if more then
        offset = stop
      else
        offset = 1
        table.remove(queue, 1)
      end
      next_seq = (seq + 1) % 32
    elseif owed then
      return frame("")
    else
      return
    end
  end
  if frames[seq] then
    timer:stop()
    timer:interval(wait)
    timer:start()
    frame(frames[seq])
  end
  wake()
end

function agent.pump()
  posted = nil
  if not agent.ended then pcall(pump) end
end

function agent.send(kind, id, ...)
  local message = char(kind) .. id
  for at = 1, select("#", ...) do
    message = message .. agent.put((select(at, ...)))
  end
  queue[#queue + 1] = message
  wake()
end

function agent.fault(text)
  agent.send(@FAULT@, "", text)
end

-- Something happened to an object.
function agent.emit(number, event, ...)
  agent.send(@EVENT@, agent.two(number) .. char(event), ...)
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
    agent.send(ok and @REPLY@ or @FAILURE@, char(call), ...)
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
    fragment, patience = a, b * 10
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
  local key = sub(data, 1, 1)
  data = sub(data, 2, n - 1)
  -- A host that knows no epoch, because it has just come, may still ask for the prompt.
  if data == "@STOP_WORD@" then return agent.leave() end
  data = data:gsub(key, "\0")
  local x, y, z = byte(data, n - 4, n - 2)
  data = sub(data, 1, n - 5)
  local a, b, c = check(data, @SEED_IN@)
  if a ~= x or b ~= y or c ~= z then error() end
  local head, mask, at = byte(data), 0, 2
  local ack = head % 32
  head = head - ack
  while base ~= ack do
    frames[base], again[base] = nil, nil
    base = (base + 1) % 32
    wait = patience
  end
  if base == next_seq then timer:stop() end
  if head % 64 > 0 then
    x, y = byte(data, 2, 3)
    mask = x * 256 + y
    at = 4
  end
  while mask > 0 do
    if mask % 2 > 0 then
      if frames[ack] then again[ack] = true end
      mask = mask - 1
    end
    mask = mask / 2
    ack = (ack + 1) % 32
  end
  a = byte(data, at)
  if a or head > 127 then owed = true end
  if a and (a - expected) % 32 < @WINDOW@ then
    early[a % 32] = sub(data, at)
    data = early[expected]
    while data do
      early[expected] = nil
      expected = (expected + 1) % 32
      parts[#parts + 1] = sub(data, 2)
      if byte(data) < 64 then
        data = table.concat(parts)
        parts = {}
        dispatch(data)
      end
      data = early[expected]
    end
  end
  wake()
end

-- The prompt comes back from a timer: leaving raw mode inside a raw callback crashes the chip.
function agent.leave()
  timer:unregister()
  timer:alarm(20, 0, function()
    agent.ended = true
    timer:unregister()
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
  timer:register(wait, 2, function()
    again[base] = true
    if wait < 1000 then wait = wait * 2 end
    wake()
  end)
  uart.on("data", "\0", function(data)
    if not pcall(receive, data) then
      nak = true
      wake()
    end
  end, 0)
  agent.start = nil
  agent.send(@HELLO@, "@DIGEST@", node.heap(), _VERSION)
end
