-- The whole life of tickets: issue, call-next, start, finish, as many at once as there are connections. A ticket is taken
-- for a free counter, in its zone. What is to be asked next stands in a queue: an answer says which ticket and counter it
-- is about, whichever connection it came over. Every wrk thread has counters of its own; keys are new for every command.
-- Arguments: hall, a word that is new for every run, wrk threads, zones, counters of a zone, services of a zone.

local threads = {}

function setup(thread)
   thread:set("number", #threads)
   threads[#threads + 1] = thread
end

local function post(path, body)
   sent = sent + 1
   return string.format(
      "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nIdempotency-Key: %s-%d-%d\r\n"
         .. "Content-Length: %d\r\n\r\n%s", path, run, number, sent, #body, body)
end

function init(args)
   run, sent, refused = args[2], 0, 0
   hall = "/v1/halls/" .. args[1]
   local shares, zones, counters, services = tonumber(args[3]), tonumber(args[4]), tonumber(args[5]), tonumber(args[6])
   due, first, last = {}, 1, 0
   free, zone_of, reserved, counter_of, bodies = {}, {}, {}, {}, {}
   for zone = 0, zones - 1 do
      reserved[zone], bodies[zone] = {}, {}
      for index = 1, services do
         bodies[zone][index] = string.format('{"service":"matter-%d%d","channel":"kiosk","language":"zh-CN"}', zone, index - 1)
      end
   end
   for index = 0, zones * counters - 1 do
      local zone = index % zones
      local counter = zone * counters + math.floor(index / zones) + 1
      zone_of[tostring(counter)] = zone
      if index % shares == number then free[#free + 1] = tostring(counter) end
   end
end

local function later(path, body)
   last = last + 1
   due[last] = { path, body or "" }
end

function request()
   if not tried then
      tried = true
      if number == 0 then return post(hall .. "/tickets", bodies[0][1]) end  -- wrk tries the first thread's; nothing is sent
   end
   if first > last then
      local counter = table.remove(free) or "none"  -- only after something went wrong
      local zone = zone_of[counter] or 0
      table.insert(reserved[zone], counter)
      return post(hall .. "/tickets", bodies[zone][sent % #bodies[zone] + 1])
   end
   local step = due[first]
   due[first] = nil
   first = first + 1
   return post(step[1], step[2])
end

function response(status, headers, body)
   local counter = status == 201 and table.remove(reserved[tonumber(body:match('"service":"matter%-(%d)'))])
   if counter then
      later(hall .. "/counters/" .. counter .. "/call-next")
      return
   end
   local state = status == 200 and body:match('"state":"(%a+)"')
   local id = state and body:match('"id":"([^"]+)"')
   if state == "called" then
      counter_of[id] = body:match('"counter":"(%d+)"')
      later("/v1/tickets/" .. id .. "/start")
   elseif state == "serving" then
      later("/v1/tickets/" .. id .. "/finish")
   elseif state == "finished" then
      free[#free + 1] = counter_of[id]
      counter_of[id] = nil
   else
      refused = refused + 1
   end
end

function done(summary, latency)
   local failed, elsewise = summary.errors, 0
   for _, thread in ipairs(threads) do elsewise = elsewise + thread:get("refused") end
   io.write(string.format(
      'RESULT {"answered":%d,"duration_us":%d,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}\n',
      summary.requests, summary.duration, elsewise, failed.connect + failed.read + failed.write + failed.timeout,
      latency:percentile(50), latency:percentile(99), latency.max))
end
