/** What the children of the group about shared values run. Imports only what a child needs. */

import type { Barrier, Connection, Lock, SharedArray, SharedType, Value } from '@mp/core'
import { loadContext } from './load-context.js'
import { turns } from './turns.js'

type AnyValue = Value<SharedType, Lock | undefined>
type AnyArray = SharedArray<SharedType, Lock | undefined>
type Orders = Connection<unknown, unknown>

/** Writes into each of them, and holds its lock meanwhile if it has one. Gives what was there before. */
export async function writeInto(values: AnyValue[], element: number): Promise<unknown[]> {
  const before: unknown[] = []
  for (const each of values) {
    await using _guard = await each.lock?.acquire()
    before.push(each.value)
    each.value = each.type.endsWith('64') && each.type !== 'f64' ? BigInt(element) : element
  }
  return before
}

export async function doubleAll(array: AnyArray): Promise<void> {
  await using _guard = await array.lock?.acquire()
  for (let i = 0; i < array.length; i++) array.set(i, (array.get(i) as number) * 2)
}

/** Receives an object with a `counter`, and adds to it; then its own child does the same. */
export async function addToReceived(module: string, orders: Orders): Promise<boolean> {
  const { Process, Value } = await loadContext(module)
  const { inner } = (await orders.recv()) as { inner: { counter: Value<'i32'> } }
  inner.counter.add(1)
  await Process.run(addTo, inner.counter, 10)
  return inner.counter instanceof Value
}

export function addTo(counter: Value<'i32'>, n: number): void {
  counter.add(n)
}

/** Makes one of each, hands them over, and ends. */
export async function makeShared(module: string, to: Orders): Promise<void> {
  const { SharedArray, Value } = await loadContext(module)
  await to.send({ value: new Value('f64', 0.5), array: new SharedArray('u8', [1, 2, 3], { lock: false }) })
}

/** Waits at the barrier, then adds 1 to the last element of each array, `count` times, at the same time as the others. */
export async function addOften(arrays: AnyArray[], count: number, barrier: Barrier): Promise<void> {
  for (const array of arrays) {
    const last = array.length - 1
    const one = typeof array.get(last) === 'bigint' ? 1n : 1
    await barrier.wait()
    for (let i = 0; i < count; i++) array.add(last, one)
  }
}

/** Adds 1 in two steps, `count` times, and holds the lock meanwhile. */
export async function countUp(counter: Value, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await using _guard = await counter.lock.acquire()
    const before = counter.value as number
    // If another is inside too, both read the same number.
    await turns(1)
    counter.value = before + 1
  }
}

/** Whether another holds the lock that came with it. */
export function isHeld(value: Value): Promise<boolean> {
  return value.lock.locked()
}

export function hasNoLock(values: { readonly lock: Lock | undefined }[]): boolean {
  return values.every(({ lock }) => lock === undefined)
}
