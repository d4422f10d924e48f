-- SPDX-License-Identifier: MIT
-- What wrk sends: requests.lua (its one argument) returns { method, path, headers, bodies } or, with
-- `unique`, one body in which every @@ becomes a word that no other request has. Answers are counted
-- by status; one line of JSON at the end.
local made = 0
function setup(thread)
	thread:set("number", made)
	made = made + 1
	threads = threads or {}
	table.insert(threads, thread)
end

function init(args)
	spec = dofile(args[1])
	sent = 0
	counts, without_retry_after = "", 0
	statuses = {}
	if not spec.unique then
		prepared = {}
		for i, one in ipairs(spec.requests) do
			prepared[i] = wrk.format(spec.method, spec.path, one.headers or spec.headers, one.body)
		end
		sent = number * math.floor(#prepared / 2)
	end
end

function request()
	sent = sent + 1
	if prepared then
		return prepared[sent % #prepared + 1]
	end
	local word = spec.unique .. number .. "x" .. sent
	return wrk.format(spec.method, spec.path, spec.headers, (spec.body:gsub("@@", word)))
end

if os.getenv("LOAD_STATUSES") then
	function response(status, headers)
		statuses[status] = (statuses[status] or 0) + 1
		if status == 503 and not headers["Retry-After"] then
			without_retry_after = without_retry_after + 1
		end
		counts = ""
		for code, times in pairs(statuses) do
			counts = counts .. code .. ":" .. times .. " "
		end
	end
end

function done(summary, latency)
	local all, bare = {}, 0
	for _, thread in ipairs(threads) do
		for code, times in (thread:get("counts") or ""):gmatch("(%d+):(%d+)") do
			all[code] = (all[code] or 0) + tonumber(times)
		end
		bare = bare + (thread:get("without_retry_after") or 0)
	end
	local parts = {}
	for code, times in pairs(all) do
		table.insert(parts, string.format('"%s":%d', code, times))
	end
	local errors = summary.errors
	print(string.format(
		'LOAD {"requests":%d,"seconds":%.6f,"refused":%d,"lost":%d,"p50":%.3f,"p99":%.3f,"without_retry_after":%d,"statuses":{%s}}',
		summary.requests, summary.duration / 1e6, errors.status,
		errors.connect + errors.read + errors.write + errors.timeout,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000, bare, table.concat(parts, ",")))
end
