const UNIT_MS: { readonly [unit: string]: number } = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
}

/** The grpc-timeout header in ms; undefined when there is none, or none that gRPC knows. */
export function timeoutMs(header: unknown): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(header ?? '')) ?? []
  return digits === undefined ? undefined : Number(digits) * (UNIT_MS[unit as string] as number)
}
