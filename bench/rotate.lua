-- Each request of wrk carries the next token of a file: wrk -s rotate.lua URL -- FILE
local requests, next = {}, 0
function init(args)
  for token in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", nil, { Authorization = token })
  end
end
function request()
  next = next % #requests + 1
  return requests[next]
end
