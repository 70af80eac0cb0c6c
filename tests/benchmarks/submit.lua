-- Posts one JSON body with a part that differs each time: wrk -s submit.lua URL -- PREFIX BODY
-- Every UNIQUE in BODY, and the Idempotency-Key, become PREFIX-1, PREFIX-2, ...

local prefix, parts, serial = "", {}, 0
local headers = { ["Content-Type"] = "application/json" }

function init(args)
   prefix = args[1]
   for part in (args[2] .. "UNIQUE"):gmatch("(.-)UNIQUE") do
      parts[#parts + 1] = part
   end
end

function request()
   serial = serial + 1
   local unique = prefix .. "-" .. serial
   headers["Idempotency-Key"] = unique
   return wrk.format("POST", nil, headers, table.concat(parts, unique))
end

-- The last line of the output: microseconds and counts.
function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"answers": %d, "refused": %d, "broken": %d, "duration": %d, "p50": %d, "p99": %d}\n',
      summary.requests,
      errors.status,
      errors.connect + errors.read + errors.write + errors.timeout,
      summary.duration,
      latency:percentile(50),
      latency:percentile(99)
   ))
end
