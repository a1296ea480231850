-- TLS sockets. As in room_net.lua, over a module that passes nil as the socket of "disconnection" (so callbacks know its
-- number), drops what is sent while a piece is on its way, and cannot hold: `unhold` after `hold` crashes the chip.
local agent = ...
local books = agent.books
-- A socket's book: number, -1 if nothing is to be told until it has ended, is it connected, true (it is not to be held),
-- 0 idle or 1 resolving or 2 beyond, false (nothing for room_net.lua to send), the piece on its way; then what waits.

-- The sockets of `net` may receive again.
function agent.tls_ease()
  agent.tight = false
  for socket, book in pairs(books) do
    if book[4] and (book[2] or 0) >= 5840 then
      book[4] = false
      socket:unhold()
    end
  end
end

-- Makes room for a handshake; returns what is free.
function agent.tls_room()
  agent.tight = true
  for socket, book in pairs(books) do
    if not book[4] and socket.hold then
      book[4] = true
      socket:hold()
    end
  end
  collectgarbage()
  collectgarbage()
  return node.heap()
end

local function pump(socket, book)
  while book[8] and not (book[3] and book[7]) do
    book[7] = table.remove(book, 8)
    if book[3] then socket:send(book[7]) end
    agent.answer(table.remove(book, 8), book[3], book[3] or "not connected")
  end
end

local function happened(event, number, value)
  local socket = agent.objects[number]
  local book = books[socket]
  if not book then return end
  local was, ended = book[3], event == @EVENT_DISCONNECTION@ or event == @EVENT_RECONNECTION@
  if book[2] < 0 then
    if event == @EVENT_CONNECTION@ then socket:close() end
    if ended then book[2], book[5] = 0, 0 end
    return
  end
  agent.send(@EVENT@, agent.two(number) .. string.char(event), value)
  if event == @EVENT_DNS@ then
    book[5] = value and 2 or 0
    -- Now it begins, if there is room enough: else the firmware would do nothing, and say nothing.
    collectgarbage()
    ended = not value or node.heap() <= 18432
    if value and ended then
      agent.send(@EVENT@, agent.two(number) .. string.char(@EVENT_RECONNECTION@), "Out of memory")
    end
  elseif event ~= @EVENT_RECEIVE@ then
    if ended then book[5] = 0 end
    book[3], book[7] = not ended, false
    pump(socket, book)
    ended = event ~= @EVENT_SENT@
  elseif node.heap() < 5000 then
    -- Nothing slows the peer down: before the heap is full, this one goes.
    book[2], book[3] = -1, false
    agent.send(@EVENT@, agent.two(number) .. string.char(@EVENT_RECONNECTION@), "Out of memory")
    pump(socket, book)
    socket:close()
  end
  if ended and not was then agent.tls_ease() end
end

function agent.tls_socket()
  if not tls then return end
  local socket = tls.createConnection()
  local number = agent.keep(socket)
  books[socket] = { number, 0, false, true, 0, false, false }
  for event, name in ipairs(agent.names) do
    socket:on(name, function(_, value)
      agent.try(happened, event, number, value)
    end)
  end
  return number
end

function agent.tls_connect(message)
  local socket = agent.find(message, 3)
  local book, high, low = books[socket], message:byte(5, 6)
  local before = book[5]
  book[5] = 1
  local ok, text = pcall(socket.connect, socket, high * 256 + low, #message > 6 and message:sub(7) or nil)
  if not ok then
    book[5] = before
    error(text, 0)
  end
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

-- True if "disconnection" will follow. With a mark behind the handle nothing is told any more.
function agent.tls_close(message)
  local socket = agent.find(message, 3)
  local book = books[socket]
  local phase, was = book[5], book[3]
  if phase == 1 or phase > 0 and #message > 4 then book[2] = -1 end
  book[3] = false
  pump(socket, book)
  socket:close()
  if phase > 0 and not was then agent.tls_ease() end
  return phase > 1
end
