import { blockingPingPong, blockingPipe, blockingPipeInto } from './blocking.js'
import { lockHandOver } from './lock-hand-over.js'
import type { Pattern } from './pattern.js'
import { pingPong } from './ping-pong.js'
import { poolApply, poolMap, poolMapSingly } from './pool.js'
import { spawn } from './spawn.js'
import { throughputPipe } from './throughput-pipe.js'
import { throughputQueue } from './throughput-queue.js'

/** In the order of the reports. */
export const patterns: readonly Pattern[] = [
  throughputQueue,
  throughputPipe,
  pingPong,
  blockingPipe,
  blockingPipeInto,
  blockingPingPong,
  lockHandOver,
  spawn,
  poolMap,
  poolMapSingly,
  poolApply,
]
