import { openBarrier } from '../barrier/open.js'
import { type HandleOpener, registerHandle } from '../context/message-reader.js'
import { openConnection, openNativeConnection } from '../pipe/pipe.js'
import { JoinableQueue } from '../queue/joinable-queue.js'
import { openQueueBackend } from '../queue/open.js'
import { Queue } from '../queue/queue.js'
import type { PackedSemaphore } from '../semaphore/backend.js'
import { Condition } from '../semaphore/condition.js'
import { Event } from '../semaphore/event.js'
import { Lock } from '../semaphore/lock.js'
import { openSemaphore } from '../semaphore/open.js'
import { RLock } from '../semaphore/rlock.js'
import { BoundedSemaphore, Semaphore } from '../semaphore/semaphore.js'
import { SharedArray } from '../shared-memory/shared-array.js'
import { Cells } from '../shared-memory/shared-memory.js'
import { Value } from '../shared-memory/value.js'

/** What is a semaphore under another name. */
const semaphores = { Lock, RLock, Semaphore, BoundedSemaphore, Event }

const openCondition: HandleOpener = (context, transport, state, endOf) => {
  const { lock, line, ownsLock } = state as { lock: Lock; line: PackedSemaphore; ownsLock: boolean }
  return new Condition(transport, lock, openSemaphore(context, transport, line, endOf), ownsLock)
}

/** Makes every kind of handle known to the reader of messages, which depends on none of them. */
export function registerHandles(): void {
  registerHandle('connection', openConnection)
  registerHandle('native-connection', openNativeConnection)
  for (const [kind, Type] of Object.entries({ queue: Queue, 'joinable-queue': JoinableQueue })) {
    registerHandle(kind, (...packed) => {
      const [context, transport] = packed
      return new Type(context, transport, openQueueBackend(...packed))
    })
  }
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
