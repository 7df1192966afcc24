-- Takes numbers: the same bytes for the service and for what it is compared with, each with a key of its own.
-- Arguments: path, a word that is new for every run, services (as wrk threads take them in turn).

local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(args)
   path, run, sent, services = args[1], args[2], 0, {}
   for index = 3, #args do
      services[#services + 1] = string.format('{"service":"%s","channel":"kiosk","language":"zh-CN"}', args[index])
   end
end

function request()
   sent = sent + 1
   local body = services[sent % #services + 1]
   return string.format(
      "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nIdempotency-Key: %s-%d-%d\r\n"
         .. "Content-Length: %d\r\n\r\n%s", path, run, number, sent, #body, body)
end

function done(summary, latency)
   local failed = summary.errors
   io.write(string.format(
      'RESULT {"answered":%d,"duration_us":%d,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}\n',
      summary.requests, summary.duration, failed.status, failed.connect + failed.read + failed.write + failed.timeout,
      latency:percentile(50), latency:percentile(99), latency.max))
end
