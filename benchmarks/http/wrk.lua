-- What wrk sends: called as `wrk … -- get`, `-- post` or `-- pipelined`. What it saw is printed as one line of JSON.

local PIPELINED = 16
local JSON = '{"name":"arborio","count":3,"tags":["tree","root","leaf"],"at":{"x":1.5,"y":-2,"open":true,"none":null}}'

local requests

function init(args)
  if args[1] == "post" then
    requests = wrk.format("POST", "/", { ["Content-Type"] = "application/json" }, JSON)
  else
    requests = wrk.format("GET", "/")
  end
  if args[1] == "pipelined" then
    requests = string.rep(requests, PIPELINED)
  end
end

function request()
  return requests
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"badStatuses":%d,"socketErrors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
