-- TCP sockets: callbacks that miss nothing, credit, sends that wait for room.
-- Callbacks know their event and find the socket's book by the socket, so a socket that the host let go is in no table
-- and no callback any more, and is collected.
local agent = ...
local books = agent.books
local names = { "connection", "reconnection", "disconnection", "receive", "sent", "dns" } -- by their codes
-- A socket's book: number, credit, is it connected, is it held, tries left; then what waits to be sent: data, its call, …

-- Gives the stack what waits, as far as it has room.
local function pump(socket, book)
  while book[6] do
    local ok, text = pcall(socket.send, socket, book[6])
    if not ok and book[3] and book[5] > 0 then
      book[5] = book[5] - 1
      return
    end
    table.remove(book, 6)
    agent.answer(table.remove(book, 6), ok, text)
    book[5] = 9
  end
end

-- Something happened to a socket.
function agent.happened(event, socket, value, ...)
  local book = books[socket]
  if not book then return end
  agent.send(@EVENT@, agent.two(book[1]) .. string.char(event), value, ...)
  if event == @EVENT_RECEIVE@ then
    -- One window may still come after `hold` (TCP_WND, recording net_hold): so much credit is kept in reserve.
    book[2] = book[2] - #value
    if book[2] < 5840 and not book[4] then
      book[4] = true
      socket:hold()
    end
  elseif event < @EVENT_DNS@ then
    book[3] = event == @EVENT_CONNECTION@ or event == @EVENT_SENT@
    book[5] = 9
    pump(socket, book)
  end
end

-- Takes a socket in: its callbacks are there before anything can happen to it.
function agent.adopt(socket, open)
  books[socket] = { agent.keep(socket), @CREDIT@, open, false, 9 }
  for event, name in ipairs(names) do
    socket:on(name, function(...)
      agent.try(agent.happened, event, ...)
    end)
  end
  return books[socket][1]
end

function agent.net_socket()
  return agent.adopt(net.createConnection(), false)
end

function agent.net_connect(message)
  local high, low = message:byte(5, 6)
  agent.find(message, 3):connect(high * 256 + low, message:sub(7))
end

-- Ends when the stack has taken the data. What it has no room for waits here for the next `sent`, or for the timer
-- when none is to come.
function agent.net_send(message)
  local socket = agent.find(message, 3)
  local book, ok, text = books[socket]
  message = message:sub(5)
  if not book[6] then
    ok, text = pcall(socket.send, socket, message)
    if ok then return end
    if not book[3] then error(text, 0) end
  end
  book[#book + 1] = message
  book[#book + 1] = agent.call
  return agent
end

function agent.tick()
  for socket, book in pairs(books) do
    pump(socket, book)
  end
end

function agent.net_grant(message)
  local socket = agent.find(message, 3)
  local book, high, low = books[socket], message:byte(5, 6)
  book[2] = book[2] + high * 256 + low
  if book[4] and book[2] >= 5840 and not agent.tight then
    book[4] = false
    socket:unhold()
  end
end

-- The stack answers data that nobody took with a reset, so a held socket is let go first.
function agent.net_close(message)
  local socket = agent.find(message, 3)
  local book = books[socket]
  if book[4] then socket:unhold() end
  book[3], book[4] = false, false
  socket:close()
end
