-- SPDX-License-Identifier: MIT
-- What wrk sends: requests.lua (its one argument) returns { method, path, headers, requests } or, with
-- `unique`, one body in which every @@ becomes a word that no other request has. Or it returns { kinds },
-- each with a name and a weight: then there is a thread for each connection, which takes the kinds in turns
-- by their weights and notes how long each answer took. One line of JSON at the end.
local made = 0
function setup(thread)
	thread:set("number", made)
	made = made + 1
	threads = threads or {}
	table.insert(threads, thread)
end

local function prepare(spec)
	local prepared = {}
	for i, one in ipairs(spec.requests) do
		prepared[i] = wrk.format(spec.method, spec.path, one.headers or spec.headers, one.body)
	end
	return prepared
end

local now
local function prepare_clock()
	local ffi = require("ffi")
	ffi.cdef("typedef struct { long s; long ns; } moment; int clock_gettime(int clock, moment *now);")
	local moment = ffi.new("moment")
	now = function()
		ffi.C.clock_gettime(1, moment)
		return tonumber(moment.s) * 1e6 + tonumber(moment.ns) / 1e3
	end
end

function init(args)
	spec = dofile(args[1])
	sent = 0
	counts, without_retry_after = "", 0
	statuses = {}
	seen = {} -- "kind bucket": how often; a bucket is two per cent wide
	if spec.kinds then
		prepare_clock()
		turns = {}
		for kind, one in ipairs(spec.kinds) do
			one.prepared = prepare(one)
			for _ = 1, one.weight do
				table.insert(turns, kind)
			end
		end
	elseif not spec.unique then
		prepared = prepare(spec)
		sent = number * math.floor(#prepared / 2)
	end
end

local function next_kind()
	-- 7 has no divisor in common with twenty: all turns are taken, and not one kind after the other
	kind = turns[(sent * 7 + number * 3) % #turns + 1]
	local one = spec.kinds[kind]
	began = now()
	return one.prepared[(sent + number) % #one.prepared + 1]
end

function request()
	sent = sent + 1
	if spec.kinds then
		return next_kind()
	end
	if prepared then
		return prepared[sent % #prepared + 1]
	end
	local word = spec.unique .. number .. "x" .. sent
	return wrk.format(spec.method, spec.path, spec.headers, (spec.body:gsub("@@", word)))
end

local function note_status(status, headers)
	statuses[status] = (statuses[status] or 0) + 1
	if status == 503 and not headers["Retry-After"] then
		without_retry_after = without_retry_after + 1
	end
	counts = ""
	for code, times in pairs(statuses) do
		counts = counts .. code .. ":" .. times .. " "
	end
end

local function note_time()
	if began then
		local place = kind .. " " .. math.floor(50 * math.log(now() - began))
		seen[place] = (seen[place] or 0) + 1
		began = nil
	end
end

if os.getenv("LOAD_STATUSES") then
	response = note_status
elseif os.getenv("LOAD_KINDS") then
	response = note_time
end

function done(summary, latency)
	local all, bare, times = {}, 0, {}
	for _, thread in ipairs(threads) do
		for code, count in (thread:get("counts") or ""):gmatch("(%d+):(%d+)") do
			all[code] = (all[code] or 0) + tonumber(count)
		end
		bare = bare + (thread:get("without_retry_after") or 0)
		for place, count in pairs(thread:get("seen") or {}) do
			times[place] = (times[place] or 0) + count
		end
	end
	local parts, seen_parts = {}, {}
	for code, count in pairs(all) do
		table.insert(parts, string.format('"%s":%d', code, count))
	end
	for place, count in pairs(times) do
		table.insert(seen_parts, string.format('"%s":%d', place, count))
	end
	local errors = summary.errors
	print(string.format(
		'LOAD {"requests":%d,"seconds":%.6f,"refused":%d,"lost":%d,"p50":%.3f,"p99":%.3f,"p999":%.3f,'
			.. '"without_retry_after":%d,"statuses":{%s},"seen":{%s}}',
		summary.requests, summary.duration / 1e6, errors.status,
		errors.connect + errors.read + errors.write + errors.timeout,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000, bare,
		table.concat(parts, ","), table.concat(seen_parts, ",")))
end
