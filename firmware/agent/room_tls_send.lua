-- TLS connections that stand: the module drops what is sent while a piece is on its way, so the rest waits here.
local agent = ...

function agent.tls_pump(socket, book)
  while book[8] and book[3] and not book[7] do
    book[7] = table.remove(book, 8)
    socket:send(book[7])
    agent.answer(table.remove(book, 8), true)
  end
end

-- Ends when the module has taken the data.
function agent.tls_send(message)
  local socket = agent.find(message, 3)
  local book = agent.books[socket]
  if not book[3] then error("not connected", 0) end
  local last = #book
  book[last + 1], book[last + 2] = message:sub(5), agent.call
  agent.tls_pump(socket, book)
  return agent
end

-- Here, so that what reads values is not needed beside an open connection.
function agent.tls_getpeer(message)
  return agent.find(message, 3):getpeer()
end
