-- Frames out: cuts queued messages into frames, keeps them until acknowledged, sends the lost again.
-- Every frame is a task of its own, because `uart.write` holds the CPU while the bytes leave.
local agent = ...
local char, sub, find, gsub, write, post = string.char, string.sub, string.find, string.gsub, uart.write, node.task.post
local queue, head, tail, offset = {}, 1, 0, 1
-- By sequence number: first byte of the header, payload, and which transmission it was (0: send it again).
local firsts, payloads, orders = {}, {}, {}
local base, next_seq, order, wait, posted = 0, 0, 0, @PATIENCE@
local timer = tmr.create()
agent.timer = timer
agent.fragment = @FRAGMENT@
agent.patience = wait

-- One frame on the line: a NUL, then header, payload and check with their NULs replaced by a key that they lack.
local function frame(first, payload)
  local second, sack, bit = agent.expected, 0, 1
  if next(agent.early) then
    for seq = second + 1, second + 8 do
      if agent.early[seq % 32] then sack = sack + bit end
      bit = bit * 2
    end
  end
  if agent.nak then second = second + 64 end
  if sack > 0 then
    payload = char(first, second + 32, sack) .. payload
  else
    payload = char(first, second) .. payload
  end
  payload = payload .. char(agent.check(payload, @SEED_OUT@))
  local key = 128
  while find(payload, char(key), 1, true) do
    key = key % 255 + 1
    if key == 37 then key = 38 end
  end
  write(0, 0, key, (gsub(payload, "%z", char(key))), 0)
  agent.owed, agent.nak = nil, nil
end

-- Sends one frame, the most urgent one. upval: all of the above
local pump
local function wake()
  posted = posted or pcall(post, pump)
end
agent.wake = wake

local function transmit(seq)
  order = order + 1
  orders[seq] = order
  frame(firsts[seq], payloads[seq])
  timer:stop()
  timer:interval(wait)
  timer:start()
  wake()
end

pump = function()
  posted = nil
  local seq = base
  while seq ~= next_seq do
    if orders[seq] == 0 then return transmit(seq) end
    seq = (seq + 1) % 32
  end
  local message = queue[head]
  if message and (seq - base) % 32 < @WINDOW@ then
    local stop = offset + agent.fragment
    payloads[seq] = sub(message, offset, stop - 1)
    if stop > #message then
      queue[head] = nil
      head, offset = head + 1, 1
      if head > tail then head, tail = 1, 0 end
      firsts[seq] = seq + 32
    else
      offset = stop
      firsts[seq] = seq + 64
    end
    next_seq = (seq + 1) % 32
    return transmit(seq)
  end
  if agent.owed then frame(0, "") end
end

function agent.send(message)
  if agent.ended then return end
  tail = tail + 1
  queue[tail] = message
  wake()
end

-- How many messages wait.
function agent.waiting()
  return tail - head + 1
end

-- Takes what the host says it has. A UART keeps the order: what left before something that arrived, and did not
-- arrive itself, is lost.
function agent.acknowledged(ack, sack, nak)
  if (ack - base) % 32 > (next_seq - base) % 32 then return end
  local latest, seq, oldest = 0, base
  local function arrived()
    local o = orders[seq]
    if o then
      if o > latest then latest = o end
      orders[seq], payloads[seq] = nil, nil
      wait = agent.patience
    end
  end
  while seq ~= ack do
    arrived()
    seq = (seq + 1) % 32
  end
  base = ack
  while sack > 0 do
    seq = (seq + 1) % 32
    if sack % 2 == 1 then
      arrived()
      sack = sack - 1
    end
    sack = sack / 2
  end
  seq = base
  while seq ~= next_seq do
    local o = orders[seq]
    if o and o > 0 then
      if o < latest then
        orders[seq], nak = 0, nil
      elseif nak and (not oldest or o < orders[oldest]) then
        oldest = seq
      end
    end
    seq = (seq + 1) % 32
  end
  if nak and oldest then orders[oldest] = 0 end
  if base == next_seq then timer:stop() end
  wake()
end

-- Nothing came back in time: the oldest frame is sent again, and the next wait is longer.
function agent.expired()
  local seq, oldest = base
  while seq ~= next_seq do
    local o = orders[seq]
    if o and (not oldest or o < orders[oldest]) then oldest = seq end
    seq = (seq + 1) % 32
  end
  if oldest then
    orders[oldest] = 0
    if wait < 1000 then wait = wait * 2 end
    wake()
  end
end
