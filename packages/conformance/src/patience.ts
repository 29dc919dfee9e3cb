/** ms that one wait may take on a machine of two free cores. */
const USUAL = 8_000

/** ms that one wait may take, even on a loaded machine. A longer wait is a hang. The environment may set it. */
export function patience(): number {
  return Number(process.env.MP_CONFORMANCE_PATIENCE ?? USUAL)
}

/** A limit of `ms`, longer or shorter as the patience is. All limits that a slow machine may miss go through this. */
export function patiently(ms: number): number {
  return (ms * patience()) / USUAL
}
