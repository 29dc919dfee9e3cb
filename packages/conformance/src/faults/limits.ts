export const MiB: number = 1024 * 1024

/** ms in which everything that waits for a peer must settle once the peer was killed. */
export const SOON = 2_000

/** Children that live at once: so many start side by side. */
export const ABREAST = 12
