-- TLS sockets. As in room_net.lua, over a module that passes nil as the socket of "disconnection" (so callbacks know its
-- number), drops what is sent while a piece is on its way, and cannot hold: `unhold` after `hold` crashes the chip.
local agent = ...
local books = agent.books
-- A socket's book: number, 0, is it connected, 0 (it is not to be held), will "disconnection" follow `close`, false
-- (nothing for room_net.lua to send), the piece on its way; then what waits: data, its call, …

-- After a handshake: the sockets of `net` may receive again.
function agent.tls_ease()
  agent.tight = false
  for _, book in pairs(books) do
    if book[4] and book[2] > 0 then agent.net_grant("  " .. agent.two(book[1]) .. "\0\0") end
  end
end

local function pump(socket, book)
  while book[8] and not (book[3] and book[7]) do
    book[7] = table.remove(book, 8)
    if book[3] then socket:send(book[7]) end
    agent.answer(table.remove(book, 8), book[3], book[3] or "not connected")
  end
end

-- Nothing more is sent.
function agent.tls_closed(socket, book)
  book[3] = false
  pump(socket, book)
end

local function happened(event, number, value)
  local socket = agent.objects[number]
  local book = books[socket]
  if not book then return end
  local was, reason = book[3]
  number = agent.two(number)
  agent.send(@EVENT@, number .. string.char(event), value)
  if event == @EVENT_DNS@ then
    -- Now it begins, if there is room enough: else the firmware would do nothing, and say nothing.
    collectgarbage()
    book[5] = value and node.heap() > 18432
    if book[5] then return end
    reason = value and "Out of memory"
  elseif event == @EVENT_RECEIVE@ then
    -- Only this holds the peer back: to stay here until the line has taken what it may. Where that is not enough, the
    -- connection goes before the heap is full.
    if node.heap() < 10000 then
      repeat until agent.write(1)
      if node.heap() < 5000 then collectgarbage() end
    end
    if node.heap() > 3000 then return end
    reason = "@OVERFLOW@"
    book[3] = false
    socket:close()
  else
    book[3] = event == @EVENT_CONNECTION@ or event == @EVENT_SENT@
    book[5], book[7] = book[3], false
  end
  if reason then agent.send(@EVENT@, number .. string.char(@EVENT_RECONNECTION@), reason) end
  pump(socket, book)
  if not was then agent.tls_ease() end
end

function agent.tls_socket()
  if not tls then return end
  local socket = tls.createConnection()
  local number = agent.keep(socket)
  books[socket] = { number, 0, false, 0, false, false, false }
  for event, name in pairs { "connection", "reconnection", "disconnection", "receive", "sent", "dns" } do
    socket:on(name, function(_, value)
      agent.try(happened, event, number, value)
    end)
  end
  return number
end

-- Makes room: without a port that is all, and what is free comes back.
function agent.tls_connect(message)
  local socket = agent.find(message, 3)
  agent.tight = true
  for other, book in pairs(books) do
    if not book[4] and other.hold then
      book[4] = 0
      other:hold()
    end
  end
  collectgarbage()
  collectgarbage()
  local high, low = message:byte(5, 6)
  if not high then return node.heap() end
  socket:connect(high * 256 + low, message:sub(7))
end

-- Ends when the module has taken the data.
function agent.tls_send(message)
  local socket = agent.find(message, 3)
  local book = books[socket]
  if not book[3] then error("not connected", 0) end
  book[#book + 1] = message:sub(5)
  book[#book + 1] = agent.call
  pump(socket, book)
  return agent
end

-- True if "disconnection" will follow.
function agent.tls_close(message)
  local socket = agent.find(message, 3)
  local book = books[socket]
  local was = book[3]
  agent.tls_closed(socket, book)
  socket:close()
  if not was then agent.tls_ease() end
  return book[5]
end
