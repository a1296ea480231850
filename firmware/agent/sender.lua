-- Frames out; bridge/wire/PROTOCOL.md. The host finds out what was lost, both ways: here is only what must be here.
local agent = ...
local char, sub, find, write, check, two, put = string.char, string.sub, string.find, uart.write, agent.check, agent.two, agent.put
-- Messages to send, and where in the first one the next fragment starts; sent frames by number, until acknowledged;
-- those to send again.
local queue, offset, frames, again = {}, 1, {}, {}
local base, next_seq = 0, 0
local fragment, patience = @FRAGMENT@, @PATIENCE@
local wait, posted = patience
local timer, early = tmr.create(), {}
-- For the receiver: frames that came early, by number; the next number wanted. Of its own: owed and nak.
agent.timer, agent.queue, agent.early, agent.expected = timer, queue, early, 0

-- One frame on the line: a NUL, then header, payload and check with their NULs replaced by a key that they lack.
local function frame(data)
  local head, sack, bit = agent.expected, 0, 1
  if next(early) then
    for seq = head + 1, head + 16 do
      if early[seq % 32] then sack = sack + bit end
      bit = bit * 2
    end
    data = two(sack) .. data
    head = head + 32
  end
  if agent.nak then head = head + 64 end
  data = char(head) .. data
  data = data .. char(check(data, @SEED_OUT@))
  bit = 128
  while find(data, char(bit), 1, true) do
    bit = bit % 255 + 1
    if bit == 37 then bit = 38 end
  end
  write(0, 0, bit, (data:gsub("%z", char(bit))), 0)
  agent.owed, agent.nak = nil, nil
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
    elseif agent.owed then
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
  agent.wake()
end

-- Each frame is a task of its own, because `uart.write` holds the CPU while the bytes leave.
local function task()
  posted = nil
  if not agent.ended then pcall(pump) end
end

function agent.wake()
  posted = posted or pcall(node.task.post, task)
end

function agent.send(kind, id, ...)
  local message = char(kind) .. id
  for at = 1, select("#", ...) do
    message = message .. put((select(at, ...)))
  end
  queue[#queue + 1] = message
  agent.wake()
end

function agent.tune(length, units)
  fragment, patience = length, units * 10
end

-- The host has all frames before `ack`, and wants some again: bit i of the mask is frame ack + i.
function agent.acknowledged(ack, mask)
  while base ~= ack do
    frames[base], again[base] = nil, nil
    base = (base + 1) % 32
    wait = patience
  end
  if base == next_seq then timer:stop() end
  while mask > 0 do
    if mask % 2 > 0 then
      if frames[ack] then again[ack] = true end
      mask = mask - 1
    end
    mask = mask / 2
    ack = (ack + 1) % 32
  end
end

-- Nothing was acknowledged for long: the oldest frame goes again.
timer:register(wait, 2, function()
  again[base] = true
  if wait < 1000 then wait = wait * 2 end
  agent.wake()
end)
