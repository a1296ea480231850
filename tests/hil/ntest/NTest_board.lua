-- What every board can do, tested on the board itself.
-- board: modules=node,tmr
local N = ...
N = (N or require "NTest")("board")

N.test("a collection gives free heap", function()
  collectgarbage()
  local before = node.heap()
  ok(before > 5000, "there is heap")
  do
    local kept = {}
    for i = 1, 50 do kept[i] = "number " .. i end
    ok(node.heap() < before, "a table takes some")
  end
  collectgarbage()
  ok(node.heap() > before - 1000, "and gives it back")
end)

N.testasync("a task runs when its poster is through", function(done)
  local order = {}
  node.task.post(function()
    order[#order + 1] = "task"
    ok(eq(order, { "poster", "task" }))
    done()
  end)
  order[#order + 1] = "poster"
end)

N.testasync("an alarm that is stopped does not come", function(done)
  local stopped = spy()
  local timer = tmr.create()
  timer:alarm(20, tmr.ALARM_SINGLE, function() stopped() end)
  timer:unregister()
  tmr.create():alarm(60, tmr.ALARM_SINGLE, function()
    nok(stopped.called)
    done()
  end)
end)

N.testco("alarms come in the order of their times", function(getCB, waitCB)
  tmr.create():alarm(60, tmr.ALARM_SINGLE, getCB("late"))
  tmr.create():alarm(20, tmr.ALARM_SINGLE, getCB("early"))
  ok(eq(waitCB(), "early"))
  ok(eq(waitCB(), "late"))
end)

N.test("an error has its place", function()
  fail(function() error("broken") end, "NTest_board.lua:%d+: broken")
end)

for _, number in ipairs { 7, -1 } do
  N.test("a number is its text: " .. number, function()
    ok(eq(tonumber(tostring(number)), number))
  end)
end
