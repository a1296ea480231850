-- TCP sockets: callbacks that miss nothing, sends that wait for room. Here is what a socket needs as long as it lives, and
-- what gives heap back; rooms that only calls need (room_net_make.lua, room_net_send.lua) may go.
-- Callbacks know their event and find the socket's book by the socket, so a socket that the host let go is in no table
-- and no callback any more, and is collected.
local agent = ...
local calls = {}
agent.calls = calls

for event = 1, 6 do
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
    book[5] = table.remove(book, 6)
    -- Of a send that went well the answer carries nothing, not even a nil: it is the commonest there is.
    if ok then
      agent.answer(book[5], true)
    else
      agent.answer(book[5], false, text)
    end
    book[5] = 1000
  end
end

-- Closes a socket; or, with an amount behind its number, gives it credit: one function takes 200 bytes less than two. The
-- stack answers data that nobody took with a reset, so a held socket is let go first.
function agent.net_close(message)
  local socket, _, amount = agent.find(message, 3)
  local book = agent.books[socket]
  if amount then
    book[2] = book[2] + amount
    return
  end
  if book[4] then socket:unhold() end
  socket:close()
  agent.fail(book, true)
end
agent.net_grant = agent.net_close
