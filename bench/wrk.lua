-- A slice of load: the lines of $CALLS in turn, each a method, a path and a body between tabs.
-- {n} in a body is a number of its own in each request.

local calls, turn, number = {}, 0, 0

local function parsed(line)
  local method, path, body = line:match("([^\t]*)\t([^\t]*)\t(.*)")
  local headers = { ["Authorization"] = "Bearer " .. os.getenv("KEY") }
  if body ~= "" then headers["Content-Type"] = "application/json" end
  if body:find("{n}", 1, true) then
    local before, after = body:match("(.-){n}(.*)")
    return function()
      number = number + 1
      return wrk.format(method, path, headers, before .. number .. after)
    end
  end
  local request = wrk.format(method, path, headers, body ~= "" and body or nil)
  return function() return request end
end

function init()
  for line in io.lines(os.getenv("CALLS")) do table.insert(calls, parsed(line)) end
end

function request()
  turn = turn % #calls + 1
  return calls[turn]()
end

function done(summary, latency)
  local failed = summary.errors
  local errors = failed.connect + failed.read + failed.write + failed.timeout + failed.status
  io.write(string.format(
    '\n{"requests": %d, "seconds": %f, "errors": %d, "p50": %f, "p99": %f, "max": %f}\n',
    summary.requests, summary.duration / 1e6, errors,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
