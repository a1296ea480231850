-- Userdata of the firmware: made by Python, known to it by a number, collected like the chip's.
local B = ...
local setmetatable, newproxy, setmeta, tostring = setmetatable, newproxy, debug.setmetatable, tostring
local numbers = setmetatable({}, {__mode = "k"})
local objects = setmetatable({}, {__mode = "v"})
local metatables, host_meta = {}, nil
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
  metatables[name] = meta
end

function B.new_object(name, number, blank)
  local u = blank
  if newproxy then
    u = newproxy()
  else
    host_meta = host_meta or B.raw_getmetatable(blank)
  end
  setmeta(u, nil)
  local text = tostring(u)
  setmeta(u, metatables[name])
  numbers[u], objects[number] = number, u
  return u, text
end

-- In C the methods of a type are the module's own functions.
function B.share_methods(name, values)
  local methods = metatables[name].__index
  for key in B.raw_next, methods do
    if values[key] then methods[key] = values[key] end
  end
end

function B.object_of(number) return objects[number] end
function B.number_of(u) return numbers[u] end

-- Before the VM is closed: nothing may call Python any more.
function B.forget_types()
  for _, meta in B.raw_next, metatables do meta.__gc = nil end
end
