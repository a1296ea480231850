-- Userdata of the firmware: made by Python, known to it by a number, collected like the chip's.
local B = ...
local setmetatable, newproxy, setmeta = setmetatable, newproxy, debug.setmetatable
local numbers = setmetatable({}, {__mode = "k"})
local objects = setmetatable({}, {__mode = "v"})
local samples, host_meta = {}, nil
B.bookkeeping = {numbers, objects}

-- A metatable of the firmware. What a program sees of it is `shown`, read-only.
function B.new_type(name, metamethods, methods, shown, collected)
  local meta = {__index = methods, __metatable = shown}
  for key, method in B.raw_next, metamethods do meta[key] = method end
  meta.__gc = function(u)
    local number = numbers[u]
    if number then collected(number) end
    -- 5.3: give the Python object inside back to lupa, whose own __gc frees it in the next collection.
    if host_meta then setmeta(u, host_meta) end
  end
  if newproxy then
    samples[name] = newproxy(true)
    local own = B.raw_getmetatable(samples[name])
    for key, value in B.raw_next, meta do own[key] = value end
  else
    samples[name] = meta
  end
end

function B.new_object(name, number, blank)
  local u
  if newproxy then
    u = newproxy(samples[name])
  else
    host_meta = host_meta or B.raw_getmetatable(blank)
    u = setmeta(blank, samples[name])
  end
  numbers[u], objects[number] = number, u
  return u, B.raw_tostring(u)
end

function B.object_of(number) return objects[number] end
function B.number_of(u) return numbers[u] end

-- Before the VM is closed: nothing may call Python any more.
function B.forget_types()
  for _, sample in B.raw_next, samples do
    local meta = newproxy and B.raw_getmetatable(sample) or sample
    meta.__gc = nil
  end
end
