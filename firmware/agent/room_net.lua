-- TCP sockets: callbacks that miss nothing, credit, sends that wait for room.
-- The books are kept by handle number; callbacks know their number and never their socket, so that a socket that was
-- let go can be collected.
local agent = ...
local emit, objects = agent.emit, agent.objects
local books = {}
agent.books, agent.net = books, {}

-- Gives the stack what waits, as far as it has room: [1] is data, [2] its call, [3] and [4] the next, …
local function pump(number)
  local book, socket = books[number], objects[number]
  while book and book[1] do
    local ok, text = pcall(socket.send, socket, book[1])
    if not ok and book.open and book.tries > 0 then
      book.tries = book.tries - 1
      return
    end
    table.remove(book, 1)
    agent.answer(table.remove(book, 1), ok, text)
    book.tries = 9
  end
end

local function happened(number, event, value)
  local book = books[number]
  if not book then return end
  emit(number, event, value)
  if event == @EVENT_RECEIVE@ then
    -- One window may still come after `hold` (TCP_WND, recording net_hold): so much credit is kept in reserve.
    book.credit = book.credit - #value
    if book.credit < 5840 and not book.held then
      book.held = true
      objects[number]:hold()
    end
  elseif event == @EVENT_CONNECTION@ then
    book.open = true
  elseif event ~= @EVENT_DNS@ then
    if event == @EVENT_SENT@ then
      book.tries = 9
    else
      book.open = nil
    end
    pump(number)
  end
end

-- Takes a socket in: its callbacks are there before anything can happen to it.
function agent.adopt(socket, credit, open)
  local number = agent.keep(socket)
  books[number] = { credit = credit, tries = 9, open = open }
  local function on(name, event)
    socket:on(name, agent.guard(function(_, value)
      happened(number, event, value)
    end))
  end
  on("connection", @EVENT_CONNECTION@)
  on("reconnection", @EVENT_RECONNECTION@)
  on("disconnection", @EVENT_DISCONNECTION@)
  on("receive", @EVENT_RECEIVE@)
  on("sent", @EVENT_SENT@)
  on("dns", @EVENT_DNS@)
  return number
end

function agent.net.socket(credit)
  return agent.adopt(net.createConnection(), credit)
end

-- Ends when the stack has taken the data. What it has no room for waits here for the next `sent`, or for the timer
-- when none is to come.
function agent.net.send(number, data)
  local book, socket = books[number], objects[number]
  if not book[1] then
    local ok, text = pcall(socket.send, socket, data)
    if ok then return end
    if not book.open then error(text, 0) end
  end
  book[#book + 1] = data
  book[#book + 1] = agent.call
  if not books.timer then
    books.timer = tmr.create()
    books.timer:alarm(250, 1, agent.guard(function()
      local busy
      for n, waiting in pairs(books) do
        if n ~= "timer" and waiting[1] then
          busy = true
          pump(n)
        end
      end
      if not busy then
        books.timer:unregister()
        books.timer = nil
      end
    end))
  end
  return agent
end

function agent.net.grant(number, amount)
  local book = books[number]
  if book then
    book.credit = book.credit + amount
    if book.held and book.credit >= 5840 then
      book.held = nil
      objects[number]:unhold()
    end
  end
end

-- The stack answers data that nobody took with a reset, so a held socket is let go first.
function agent.net.close(number)
  local book, socket = books[number], objects[number]
  if book.held then socket:unhold() end
  book.open = nil
  socket:close()
end

return function() end
