/** What a pool has and does at a moment. */
export interface PoolStats {
  /** Workers that run or are being started. */
  readonly workers: number
  /** Of these, how many are ready and have no task. */
  readonly idle: number
  /** Tasks that no worker has. A task is one call, or a chunk of items. */
  readonly queued: number
  /** Tasks that workers have, including those that wait behind the one that a worker is at. */
  readonly running: number
  /** Tasks that were answered, and all of whose calls succeeded. */
  readonly completed: number
  /** Tasks that were answered, and of which a call threw. */
  readonly failed: number
  /** Tasks whose worker was lost. */
  readonly lost: number
  /** Workers that were started in place of lost or worn-out ones. */
  readonly restarts: number
}
