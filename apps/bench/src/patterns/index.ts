import { blockingPingPong, blockingPipe, blockingPipeInto } from './blocking.js'
import { joinable } from './joinable.js'
import { lockHandOver } from './lock-hand-over.js'
import { lockLoop } from './lock-loop.js'
import type { Pattern } from './pattern.js'
import { pingPong } from './ping-pong.js'
import { pipeBetweenChildren } from './pipe-between-children.js'
import { poolApply, poolMap, poolMapSingly } from './pool.js'
import { poolApply100 } from './pool-apply-100.js'
import { poolImap } from './pool-imap.js'
import {
  queue1To4,
  queue4To1,
  queue4To4,
  queueBetweenChildren,
  queueBounded,
  queueBoundedToChild,
  queueToChild,
} from './queue-shapes.js'
import { spawn } from './spawn.js'
import { throughputPipe } from './throughput-pipe.js'
import { throughputQueue } from './throughput-queue.js'

const throughput = [throughputQueue, throughputPipe]
const blocking = [blockingPipe, blockingPipeInto, blockingPingPong]
const queueShapes = [
  queueToChild,
  queueBounded,
  queueBoundedToChild,
  queueBetweenChildren,
  queue1To4,
  queue4To1,
  queue4To4,
  joinable,
]
const poolShapes = [poolApply100, poolImap]

/** Ordinary shapes of use beside the one that throughput-queue measures. Small objects only, short rounds. */
export const shapes: readonly Pattern[] = [...queueShapes, pipeBetweenChildren, lockLoop, ...poolShapes]

/** Words that mean several patterns. */
export const groups: Readonly<Record<string, readonly Pattern[]>> = {
  throughput,
  blocking,
  shapes,
  pool: [poolMap, poolMapSingly, poolApply, ...poolShapes],
}

/** In the order of the reports. */
export const patterns: readonly Pattern[] = [
  throughputQueue,
  throughputPipe,
  pingPong,
  ...queueShapes,
  pipeBetweenChildren,
  ...blocking,
  lockHandOver,
  lockLoop,
  spawn,
  poolMap,
  poolMapSingly,
  poolApply,
  ...poolShapes,
]
