-- TLS connections that stand: the module drops what is sent while a piece is on its way, so the rest waits here.
local agent = ...

-- A record for which the heap has no room would end the connection. So it waits here, until the line and the stack have
-- given back what they hold; at the twentieth `turn` of the timer its call fails.
function agent.tls_pump(socket, book, turn)
  while book[8] and book[3] and not book[7] do
    if node.heap() < 6000 then collectgarbage() end
    local poor = node.heap() < 3200
    book[0] = poor and (book[0] or 20) - (turn or 0) or nil
    if poor and book[0] > 0 then return end
    local data = table.remove(book, 8)
    if poor then
      agent.answer(table.remove(book, 8), false, "not enough memory")
    else
      book[7] = data
      socket:send(data)
      agent.answer(table.remove(book, 8), true)
    end
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
