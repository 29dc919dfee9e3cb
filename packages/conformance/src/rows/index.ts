import { listenerRows, pipeRows, waitRows } from './pipe.js'
import { executorRows, poolRows } from './pool.js'
import { processRows } from './process.js'
import { joinableQueueRows, queueRows, shutdownRows } from './queue.js'
import type { Row } from './row.js'
import { barrierRows, conditionRows, contextRows, eventRows, lockRows, semaphoreRows, sharedValueRows } from './sync.js'

/** All behaviours that transports must have, in the order of the tables. */
export const rows: readonly Row[] = [
  ...processRows,
  ...queueRows,
  ...joinableQueueRows,
  ...shutdownRows,
  ...pipeRows,
  ...waitRows,
  ...listenerRows,
  ...poolRows,
  ...executorRows,
  ...lockRows,
  ...semaphoreRows,
  ...eventRows,
  ...conditionRows,
  ...barrierRows,
  ...sharedValueRows,
  ...contextRows,
]
