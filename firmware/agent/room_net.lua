-- TCP sockets: callbacks that miss nothing, sends that wait for room.
-- Callbacks know their event and find the socket's book by the socket, so a socket that the host let go is in no table
-- and no callback any more, and is collected.
local agent = ...
local books, calls = agent.books, {}

-- Gives the stack what waits, as far as it has room.
function agent.pump(socket, book)
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

for event, name in pairs(agent.names) do
  calls[name] = function(...)
    agent.try(agent.happened, event, ...)
  end
end

-- Takes a socket in: its callbacks are there before anything can happen to it.
function agent.adopt(socket, open)
  books[socket] = { agent.keep(socket), @CREDIT@, open, false, 9 }
  for name, call in pairs(calls) do
    socket:on(name, call)
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
  agent.opened = nil
  for socket, book in pairs(books) do
    agent.pump(socket, book)
  end
end

function agent.net_grant(message)
  local socket = agent.find(message, 3)
  local book, high, low = books[socket], message:byte(5, 6)
  book[2] = book[2] + high * 256 + low
end

-- The stack answers data that nobody took with a reset, so a held socket is let go first.
function agent.net_close(message)
  local socket = agent.find(message, 3)
  local book = books[socket]
  if book[4] then socket:unhold() end
  socket:close()
  agent.closed(book)
end
