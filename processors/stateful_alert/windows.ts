/** Event times of a key, oldest first; ns since the epoch. */
export type Times = readonly bigint[]

/** Those that still count: not more than `windowNs` before `now`, inclusive. */
export function within(times: Times, now: bigint, windowNs: bigint): Times {
  const from = now - windowNs
  const first = times.findIndex(time => time >= from)
  return first === 0 ? times : first < 0 ? [] : times.slice(first)
}

/** With one more; a late one takes its place in the order. */
export function inserted(times: Times, time: bigint): Times {
  let at = times.length
  while (at > 0 && (times[at - 1] as bigint) > time) at--
  return [...times.slice(0, at), time, ...times.slice(at)]
}

/** All of both; times that both know count once. At most the newest `limit`. */
export function united(a: Times, b: Times, limit: number): Times {
  const all: bigint[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const left = a[i]
    const right = b[j]
    if (left !== undefined && (right === undefined || left <= right)) {
      all.push(left)
      i++
      if (left === right) j++
    } else {
      all.push(right as bigint)
      j++
    }
  }
  return all.slice(-limit)
}
