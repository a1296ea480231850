-- TLS sockets. As in room_net.lua, over a module that passes nil as the socket of "disconnection" (so callbacks know its
-- number) and cannot hold: `unhold` after `hold` crashes the chip. What an open connection needs is in room_tls_send.lua:
-- before a handshake each byte counts.
local agent = ...
local books = agent.books
-- A socket's book: number, 0, is it connected, 0 (it is not to be held), will "disconnection" follow `close`, false
-- (nothing for room_net.lua to send), the piece on its way; then what waits: data, its call, …

local function happened(event, number, value)
  local socket = agent.objects[number]
  local book = books[socket]
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

function agent.tls_socket()
  if not tls then return end
  local socket = tls.createConnection()
  local number = agent.keep(socket)
  books[socket] = { number, 0, false, 0, false, false, false }
  for event, name in pairs(agent.names) do
    socket:on(name, function(_, value)
      agent.try(happened, event, number, value)
    end)
  end
  return number
end

-- Makes room: without a port that is all, and what is free comes back, or 0 while events wait or are
-- to come from a socket that may go on.
function agent.tls_connect(message)
  local socket, _, port = agent.find(message, 3)
  agent.tight = true
  for other, book in pairs(books) do
    if not book[4] and other.hold then
      book[4] = 0
      other:hold()
    end
  end
  collectgarbage()
  if not port then return (agent.line[1] or agent.opened) and 0 or node.heap() end
  socket:connect(port, message:sub(7))
end

-- True if "disconnection" will follow.
function agent.tls_close(message)
  local socket = agent.find(message, 3)
  local book = books[socket]
  agent.tight, book[3] = agent.tight and book[3], false
  agent.fail(book)
  socket:close()
  return book[5]
end

-- The handshake will not be.
function agent.tls_ease()
  agent.tight = false
end
