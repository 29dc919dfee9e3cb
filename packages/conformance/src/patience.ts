/** ms that one wait may take on a machine of two free cores. */
const USUAL = 8_000

/** ms that one wait may take. A longer wait is a hang. The environment may set it: more for a slow or a loaded machine. */
export function patience(): number {
  return Number(process.env.MP_CONFORMANCE_PATIENCE ?? USUAL)
}

/** A limit of `ms`, on a machine of two free cores; longer where the patience is. Every limit that load can break is made so. */
export function patiently(ms: number): number {
  return ms * Math.max(1, patience() / USUAL)
}
