-- Objects of the board that the host has a handle of, by number; by the negative number, how often it has been sent, if that
-- is more than once (room_values.lua).
local agent = ...
local objects, last = {}, 0
agent.objects = objects
-- What is known of sockets, by the socket (room_flow.lua).
agent.books = {}

-- Calls a function and catches its errors: outside, they would restart the board.
function agent.try(...)
  local ok, text = pcall(...)
  if not ok then pcall(agent.send, @FAILURE@, "\0", text) end
end

-- The number under which an object is kept from now on; unless what tells the host of it cannot be sent.
function agent.keep(object)
  repeat
    last = last % 65535 + 1
  until not objects[last]
  agent.given = (agent.given or "") .. agent.two(last)
  objects[last] = object
  return last
end

-- The object that a message names in the two bytes at a position, its number, and the number in the two bytes behind it.
function agent.find(message, at)
  local high, low, more, last = message:byte(at, at + 3)
  low = high * 256 + low
  return objects[low] or error("stale handle", 0), low, last and more * 256 + last
end

-- The host gives a handle back: as often as it got it, by the number behind, or once. What it has given back as often as
-- it was sent is closed if that can be done, and forgotten: no other is on its way.
-- Without a message: what another was to give, which could not be sent, and what could not be made for lack of memory.
function agent.release(message, at)
  if not message then
    if at == @REPLY@ then return end -- it tells of them
    message, agent.given = agent.given
    for at = 1, #message, 2 do
      pcall(agent.release, message, at)
    end
    return
  end
  local object, number, count = agent.find(message, at or 3)
  local sent = objects[-number]
  count = (sent or 1) - (not at and count or 1)
  -- What is not there is not set, not even to nil: that may take memory, and there may be none.
  if sent then objects[-number] = count > 0 and count or nil end
  if count > 0 then return end
  objects[number] = nil
  local book = agent.books[object]
  if book then
    agent.books[object] = nil
    pcall(object.close, object)
    agent.fail(book, true)
  end
  -- A table keeps the nodes it once had, for as many as were there at once (32 bytes each): what holds one or two, or none,
  -- makes way for a small one. Last of all, as there may be no memory for it. Each book is of an object.
  count = 0
  for _ in pairs(objects) do
    count = count + 1
    if count > 2 then return end
  end
  local few, theirs, books = {}, {}, agent.books
  for at, other in pairs(objects) do
    few[at] = other
    if books[other] then theirs[other] = books[other] end
  end
  objects = few
  agent.objects, agent.books = few, theirs
end

-- What waits to be sent has failed. If the socket was closed nobody is told of what else waits, either.
function agent.fail(book, closed)
  if closed then
    book[3] = false
    if book[4] ~= 0 then book[4] = false end
    local line = agent.line
    for at = #line, 1, -1 do
      if line[at] == book then
        -- Nobody will be told of this client.
        if line[at + 1] == @EVENT_ACCEPT@ then agent.given = (agent.given or "") .. agent.two(line[at + 2]) end
        for _ = 1, 3 do
          table.remove(line, at)
        end
      end
    end
    if agent.given then agent.release() end
  end
  closed = book[6] and 6 or 8
  while book[closed] do
    table.remove(book, closed)
    agent.answer(table.remove(book, closed), false, "not connected")
  end
end
