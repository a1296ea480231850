-- TCP sockets: callbacks that miss nothing, sends that wait for room.
-- Callbacks know their event and find the socket's book by the socket, so a socket that the host let go is in no table
-- and no callback any more, and is collected.
local agent = ...
local books, calls = agent.books, {}

for event, name in pairs(agent.names) do
  calls[event] = function(...)
    agent.try(agent.happened, event, ...)
  end
end

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

-- Takes a socket in, which a server has accepted, or makes one: its callbacks are there before anything can happen to it.
function agent.net_socket(_, accepted)
  local socket = accepted or net.createConnection()
  local number = agent.keep(socket)
  books[socket] = { number, @CREDIT@, accepted ~= nil, false, 9 }
  for event, name in pairs(agent.names) do
    socket:on(name, calls[event])
  end
  if accepted then agent.given = nil end
  return number
end

-- A new connection may bring a window at once, too, so it waits until what others brought has nearly left.
function agent.net_connect(message)
  agent.find(message, 3)
  agent.dial = { message, agent.call, agent.dial }
  return agent
end

-- Ends when the stack has taken the data. What it has no room for waits here for the next `sent`, or for the timer
-- when none is to come.
function agent.net_send(message)
  local socket = agent.find(message, 3)
  local book = books[socket]
  local last = #book
  book[last + 1], book[last + 2] = message:sub(5), agent.call
  if last < 6 then agent.pump(socket, book) end
  return agent
end

function agent.net_grant(message)
  local socket, _, amount = agent.find(message, 3)
  local book = books[socket]
  book[2] = book[2] + amount
end

-- The stack answers data that nobody took with a reset, so a held socket is let go first.
function agent.net_close(message)
  local socket = agent.find(message, 3)
  local book = books[socket]
  if book[4] then socket:unhold() end
  socket:close()
  agent.fail(book, true)
end
