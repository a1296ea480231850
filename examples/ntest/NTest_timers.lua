-- board: modules=tmr
local N = ...
N = (N or require "NTest")("timers")

N.test("a timer is stopped at first", function()
  local running = tmr.create():state()
  nok(running)
end)

N.testasync("an alarm comes", function(done)
  tmr.create():alarm(50, tmr.ALARM_SINGLE, function()
    ok(true)
    done()
  end)
end)

N.testco("two alarms come in their order", function(getCB, waitCB)
  tmr.create():alarm(60, tmr.ALARM_SINGLE, getCB("second"))
  tmr.create():alarm(20, tmr.ALARM_SINGLE, getCB("first"))
  ok(eq(waitCB(), "first"))
  ok(eq(waitCB(), "second"))
end)
