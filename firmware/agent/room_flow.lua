-- Events of sockets on their way to the link. They wait here, where data takes less of the heap than in fragments, as long
-- as much is under way, and a socket for which the host, the line or the heap has no room is held.
local agent = ...
local books, line, holds = {}, {}, 0
agent.line = line
-- A socket's book: number, credit, is it connected, is it held (how many were before), tries left; then what waits to be
-- sent: data, its call, …
agent.books = books

-- Gives the link what waits, oldest first, as long as little is under way. Then the socket that is held for longest may go
-- on, if the host and the heap have room for what may come: a window at once (5840 bytes). So the next one waits until this
-- one is held again. Nobody goes on while a TLS handshake wants the heap (`tight`).
local function feed()
  while line[1] and agent.top - agent.base < 8 do
    local book, event, value = unpack(line[1])
    agent.send(@EVENT@, agent.two(book[1]) .. string.char(event), value)
    table.remove(line, 1)
    if event == @EVENT_RECEIVE@ then book[2] = book[2] - #value - @EVENT_COST@ end
  end
  if line[1] or agent.opened or agent.tight then return end
  local longest, first = holds
  for socket, book in pairs(books) do
    if book[4] and book[4] <= longest and book[2] >= 5840 then
      longest, first = book[4], socket
    end
  end
  if first and node.heap() > 9000 then
    agent.opened, books[first][4] = first, false
    first:unhold()
  end
end

-- Puts an event into the line. Where the heap is short a little data joins what waits of the same socket: events that are
-- kept apart cost more than single bytes. True if data was taken.
function agent.tell(event, socket, book, value)
  local last, data = line[#line], event == @EVENT_RECEIVE@
  if data and node.heap() < 3000 and collectgarbage() and node.heap() < 3000 then
    -- The board might not survive more: this connection is given up with what waits of it, and the host is told.
    data, event, value = false, @EVENT_RECONNECTION@, -1
    socket:close()
    agent.forget(book)
  end
  if data and last and node.heap() < 9999 and last[1] == book and last[2] == event and #last[3] + #value < 1461 then
    last[3] = last[3] .. value
  else
    line[#line + 1] = { book, event, value }
  end
  feed()
  return data
end

-- Something happened to a socket of `net`.
function agent.happened(event, socket, value)
  local book = books[socket]
  if not book then return end
  if agent.tell(event, socket, book, value) then
    -- One window may still come after `hold` (TCP_WND, recording net_hold): so much credit is kept in reserve.
    if not book[4] and (book[2] < 5840 or line[1] or node.heap() < 9999) then
      if agent.opened == socket then agent.opened = nil end
      holds = holds + 1
      book[4] = holds
      socket:hold()
    end
  elseif event < @EVENT_DNS@ then
    if event == @EVENT_CONNECTION@ then
      -- The stock socket stays held over the end of a connection, when nothing can let it go on (net.c net_unhold).
      book[4] = false
      socket:unhold()
    end
    book[3] = event == @EVENT_CONNECTION@ or event == @EVENT_SENT@
    book[5] = 9
    agent.pump(socket, book)
  end
end

-- Nobody is told of what waits.
function agent.forget(book)
  for at = #line, 1, -1 do
    if line[at][1] == book then table.remove(line, at) end
  end
end

-- Every frame out is an occasion.
local write = agent.write
function agent.write(data)
  if data ~= agent.timer then agent.posted = true end -- no task is needed for what leaves now
  pcall(feed)
  return write(data)
end
