import assert from 'node:assert/strict'
import { patiently } from '@mp/conformance'
import { type Connection, Event, Lock, Pipe, Process, Queue } from '@mp/memory'
import { test } from 'vitest'

/** For the child, which runs in this thread. */
const calls = new Map<string, Promise<unknown>>()

export function leaveCallsPending(
  queue: Queue<string>,
  lock: Lock,
  event: Event,
  connection: Connection<string, string>,
): void {
  calls.set('get', queue.get())
  calls.set('acquire', lock.acquire())
  calls.set('wait', event.wait())
  calls.set('recv', connection.recv())
  for (const call of calls.values()) call.catch(() => {})
}

test('calls that a child leaves pending settle when it has ended', async () => {
  const lock = new Lock()
  await using _held = await lock.acquire()
  const [mine, theirs] = Pipe<string>()
  const child = new Process({
    target: leaveCallsPending,
    args: [new Queue<string>(), lock, new Event(), theirs],
  })
  await child.start()
  assert.equal(await child.join(), 0)
  for (const [name, call] of calls) {
    const settled = await Promise.race([
      call.then(
        () => 'resolved',
        error => error.code,
      ),
      late(),
    ])
    assert.match(String(settled), /^MP_/, name)
  }
  await mine.close()
})

async function late(): Promise<string> {
  await new Promise(resolve => setTimeout(resolve, patiently(2_000)).unref())
  return 'pending'
}
