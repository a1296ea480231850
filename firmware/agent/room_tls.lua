-- TLS sockets. As in room_net.lua, over a module that passes nil as the socket of "disconnection" (so callbacks know its
-- number) and cannot hold: `unhold` after `hold` crashes the chip. What an open connection needs is in room_tls_send.lua:
-- before a handshake each byte counts.
local agent = ...
-- 5.3 collects in steps, which leave some KB of garbage: too much beside TLS, for which nothing is collected. So each step
-- is a whole collection, whenever a twentieth more is there. (5.1 collects before each allocation where heap is short.)
if not node.egc then
  collectgarbage("setpause", 105)
  collectgarbage("setstepmul", 4000)
end
-- A socket's book: number, 0, is it connected, 0 (it is not to be held), will "disconnection" follow `close`, false
-- (nothing for room_net.lua to send), the piece on its way; then what waits: data, its call, …

function agent.tls_happened(event, number, value)
  local socket = agent.objects[number]
  local book = agent.books[socket]
  if not book then return end
  local was = book[3]
  -- Nothing holds the peer back. Data that there is no room for has ended the connection.
  if agent.tell(event, socket, book, value) then return end
  if event == @EVENT_DNS@ then
    -- Now it begins, if there is room enough: else the firmware would do nothing, and say nothing.
    collectgarbage()
    book[5] = value and node.heap() > 18432
    if book[5] then return end
    if value then agent.tell(@EVENT_RECONNECTION@, socket, book, "Out of memory") end
  else
    book[3] = event == @EVENT_CONNECTION@ or event == @EVENT_SENT@
    book[5], book[7] = book[3] or event == @EVENT_RECEIVE@, false
    if not book[3] then
      agent.fail(book)
    elseif agent.tls_pump then
      agent.tls_pump(socket, book)
    end
  end
  -- After a handshake the sockets of `net` may receive again.
  agent.tight = agent.tight and was
end

-- The handshake may begin.
function agent.tls_connect(message)
  local socket, _, port = agent.find(message, 3)
  socket:connect(port, message:sub(7))
end

-- True if "disconnection" will follow.
function agent.tls_close(message)
  local socket = agent.find(message, 3)
  local book = agent.books[socket]
  agent.tight, book[3] = agent.tight and book[3], false
  agent.fail(book)
  socket:close()
  return book[5]
end

-- The handshake will not be.
function agent.tls_ease()
  agent.tight = false
end
