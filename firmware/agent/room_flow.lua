-- Events of sockets on their way to the link. They wait here, where data takes less of the heap than in fragments, as long
-- as much is under way, and a socket for which the host, the line or the heap has no room is held.
-- (Functions that use the agent's table often have it as a local of their own: each use is four bytes less.)
local agent = ...
-- What waits: the book of its socket, the event, its value or false, …
agent.line = {}
-- A socket's book, in agent.books: number, credit, is it connected, is it held (since which fragment), turns of the
-- timer left for what waits to be sent (a peer's window may be full for minutes, and the host waits for five); then this:
-- data, its call, …

-- Gives the link what waits, oldest first, as long as little is under way, or what is no data and has thirty others behind
-- it, as the replies of a flood of calls would keep it here for ever; every frame out is an occasion. When nothing
-- waits, the next one may connect, or the socket that is held for longest go on, if the host and the heap have room for
-- what may come: a window at once (5840 bytes). So the next one waits until this one is held again. Nobody goes on while
-- a TLS handshake wants the heap (`tight`).
function agent.feed(most)
  local agent = agent
  local line = agent.line
  -- What lwIP and TLS are to take next must not be Lua's garbage: nothing is collected for them.
  if node.heap() < 8000 then collectgarbage() end
  while agent.top - agent.base < (most or line[100] and line[2] ~= @EVENT_RECEIVE@ and 100 or @UNDER_WAY@) do
    local book, event, value = unpack(line, 1, 3)
    if not book then
      if agent.opened or agent.top - agent.base > (most or @TO_OPEN@) then return end
      book = agent.dial
      if book then
        -- The host may have let it go meanwhile.
        local ok, socket, _, port = pcall(agent.find, book[1], 3)
        agent.dial, agent.opened, agent.stood = book[3], ok and socket, ok
        return agent.answer(book[2], pcall(ok and socket.connect, socket, port, book[1]:sub(7)))
      end
      if agent.tight or agent.short then return end
      local least = 11000
      for socket, other in pairs(agent.books) do
        -- A TLS socket that stands (false: room_tls_make.lua) may bring and send a record meanwhile.
        if other[6] == false and other[3] then least = 14000 end
        if other[4] and other[2] >= 5840 and not (book and book[4] <= other[4]) then
          book, value = other, socket
        end
      end
      if not book then return end
      if node.heap() < least and collectgarbage() and node.heap() < least then
        -- The host lets go what it can send again (link/pump.py).
        agent.short = true
        return agent.send(@EVENT@, "\0\0\0")
      end
      agent.opened, book[4], agent.stood = value, false, nil
      return value:unhold()
    end
    local head = string.char(@EVENT@) .. agent.two(book[1]) .. string.char(event)
    if event == @EVENT_RECEIVE@ then
      -- As agent.send would, but without two copies of all the data: they would be half of what a window takes.
      head = head .. "g" .. agent.two(#value)
      local top, size = agent.top, agent.fragment
      for at = 1 - #head, #value, size do
        agent.out[top - agent.base + 1] = string.char(top % 32 + (at + size > #value and 32 or 64))
          .. (at < 1 and head or "")
          .. value:sub(at < 1 and 1 or at, at + size - 1)
        top = top + 1
      end
      agent.top = top
      book[2] = book[2] - #value - @EVENT_COST@
      agent.send ""
    else
      agent.send(head, nil, value or nil)
    end
    for _ = 1, 3 do
      table.remove(line, 1)
    end
    agent.fed = true
  end
end

-- piece
local agent = ...

-- Puts an event into the line. Behind twenty others a little data joins what waits of the same socket: events that are kept
-- apart cost more than single bytes. True if data was taken.
function agent.tell(event, socket, book, value)
  local agent = agent
  local line = agent.line
  local last, data, free = #line, event == @EVENT_RECEIVE@, node.heap()
  -- TLS (false) has taken 3 KB for this data, which come back at once.
  local least = book[6] == false and 2000 or 3000
  if data and free < least and collectgarbage() and node.heap() < least then
    -- The board might not survive more: this connection is given up with what waits of it, and the host is told.
    data, event, value = false, @EVENT_RECONNECTION@, -1
    socket:close()
    agent.fail(book, true)
    last = #line
  end
  if data and last > 60 and line[last - 2] == book and line[last - 1] == event and #line[last] + #value < 1461 then
    line[last] = line[last] .. value
  else
    line[last + 1], line[last + 2], line[last + 3] = book, event, value or false
  end
  agent.feed()
  -- One window may still come after `hold` (TCP_WND, recording net_hold): so much credit is kept in reserve. While much is
  -- under way not more than that is to come. But who has only asked a short question, with few events waiting, is not
  -- held: when the peer of one that is held closes, 184 bytes stay for 12 s (tcp_close_shutdown).
  if
    data
    and not book[4]
    and (#value > 700 or last > 60 or book[2] < @CREDIT@ - 700)
    and (book[2] < 5840 or free < 9999 or agent.top - agent.base >= @UNDER_WAY@)
  then
    if agent.opened == socket then agent.opened = nil end
    book[4] = agent.top
    socket:hold()
  end
  return data
end

-- At each turn of the timer: what waits for room, in the stack or in the heap, is tried again.
function agent.tick()
  local agent = agent
  -- A window that is awaited may come a moment after this turn: it is awaited until nothing was handed over for a whole
  -- turn, or it has been for two (`stood`), as others may receive all the time. A new connection has one.
  agent.short = nil
  if agent.stood or not agent.fed then agent.opened = nil end
  agent.stood = agent.opened
  -- A flood of calls leaves little under way at no time: then something is handed over at every tick. But only then: it
  -- would be two windows at once.
  if not agent.fed then agent.feed(20) end
  agent.fed = nil
  for socket, book in pairs(agent.books) do
    if book[6] then
      agent.pump(socket, book)
    elseif book[8] then
      agent.tls_pump(socket, book, 1)
    end
  end
end

-- Something happened to a socket of `net`.
function agent.happened(event, socket, value)
  local book = agent.books[socket]
  if not book or agent.tell(event, socket, book, value) or event >= @EVENT_DNS@ then return end
  if event == @EVENT_CONNECTION@ then
    -- The stock socket stays held over the end of a connection, when nothing can let it go on (net.c net_unhold).
    book[4] = false
    socket:unhold()
  end
  book[3] = event == @EVENT_CONNECTION@ or event == @EVENT_SENT@
  book[5] = 1000
  agent.pump(socket, book)
end
