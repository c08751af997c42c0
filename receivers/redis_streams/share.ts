/**
 * How many of the partitions a collector should have: all collectors come to the same answer from the same members,
 * the first ones by name get what does not divide.
 */
export function fairShare(member: string, members: readonly string[], partitions: number): number {
  const place = [...members].sort().indexOf(member)
  if (place < 0) return 0
  const rest = partitions % members.length
  return Math.floor(partitions / members.length) + (place < rest ? 1 : 0)
}

/** The earliest of the partitions' times; undefined while one is not known. */
export function earliest(
  partitions: number,
  timeOf: (partition: number) => bigint | undefined,
): bigint | undefined {
  let least: bigint | undefined
  for (let partition = 0; partition < partitions; partition++) {
    const time = timeOf(partition)
    if (time === undefined) return undefined
    if (least === undefined || time < least) least = time
  }
  return least
}
