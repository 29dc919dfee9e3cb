// So that all that a child loads first is in one file: see tsup.config.ts.
import './spi.js'
import { openBarrier } from './barrier.js'
import { Condition } from './condition.js'
import { openConnection } from './connection.js'
import { Event } from './event.js'
import { JoinableQueue } from './joinable-queue.js'
import { Lock } from './lock.js'
import { openNativeConnection } from './native-connection.js'
import { openQueueBackend, Queue } from './queue.js'
import { RLock } from './rlock.js'
import { BoundedSemaphore, Semaphore } from './semaphore.js'
import { SharedArray } from './shared-array.js'
import { Cells } from './shared-memory.js'
import type { PackedSemaphore } from './sync/backend.js'
import { openSemaphore } from './sync/open-semaphore.js'
import { type HandleOpener, registerHandle } from './unpacking.js'
import { Value } from './value.js'

/** What is a semaphore under another name. */
const semaphores = { Lock, RLock, Semaphore, BoundedSemaphore, Event }

const openCondition: HandleOpener = (context, transport, state, endOf) => {
  const { lock, line, ownsLock } = state as { lock: Lock; line: PackedSemaphore; ownsLock: boolean }
  return new Condition(transport, lock, openSemaphore(context, transport, line, endOf), ownsLock)
}

/** Makes every kind of handle known to the reader of messages, which depends on none of them. */
export function registerHandles(): void {
  registerHandle('connection', openConnection)
  for (const [kind, Type] of Object.entries({ queue: Queue, 'joinable-queue': JoinableQueue })) {
    registerHandle(kind, (context, transport, state, endOf) => {
      return new Type(context, transport, openQueueBackend(context, transport, state, endOf))
    })
  }
  registerHandle('native-connection', openNativeConnection)
  registerHandle('Barrier', openBarrier)
  registerHandle('Condition', openCondition)
  for (const [kind, Type] of Object.entries(semaphores)) {
    registerHandle(kind, (context, transport, state, endOf) => {
      return new Type(transport, openSemaphore(context, transport, state, endOf))
    })
  }
  for (const [kind, Type] of Object.entries({ Value, SharedArray })) {
    registerHandle(kind, (_context, transport, state) => {
      const { view, lock, ownsLock } = state as { view: unknown; lock: Lock | undefined; ownsLock: boolean }
      return new Type(transport, new Cells(view), lock, ownsLock)
    })
  }
}
