-- TCP sockets that send.
local agent = ...

-- Ends when the stack has taken the data. What it has no room for waits here for the next `sent`, or for the timer
-- when none is to come.
function agent.net_send(message)
  local socket = agent.find(message, 3)
  local book = agent.books[socket]
  local last = #book
  book[last + 1], book[last + 2] = message:sub(5), agent.call
  if last < 6 then agent.pump(socket, book) end
  return agent
end
