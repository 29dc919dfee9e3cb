/** What the workers of the suite's pools run. Imports only what a worker needs. */

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Connection, Queue } from '@mp/core'
import { loadContext } from './load-context.js'
import { turns } from './turns.js'

export function square(n: number): number {
  return n * n
}

export async function squareLater(n: number): Promise<number> {
  await turns(1)
  return n * n
}

export function describeCall(...args: unknown[]): string {
  return JSON.stringify(args)
}

export function add(a: number, b: number): number {
  return a + b
}

export function same<T>(value: T): T {
  return value
}

export function nameOf(module: string): Promise<string> {
  return loadContext(module).then(({ currentProcess }) => currentProcess().name)
}

export function failOdd(n: number): number {
  if (n % 2 === 1) throw Object.assign(new RangeError(`odd: ${n}`), { code: 'E_ODD', n })
  return n
}

export function failWith(value: unknown): never {
  throw value
}

export function giveUnsendable(n: number): unknown {
  return n % 2 === 1 ? { n, callback: () => {} } : n
}

export const notAFunction = 3

/** Tells that it runs, and waits until it is told what to return. Gives 'gone' when nobody can tell it. */
export async function waitFor(orders: Connection<unknown, unknown>): Promise<unknown> {
  await orders.send('running')
  return orders.recv().catch(() => 'gone')
}

/** As `waitFor` for an item that is a connection; a number is returned at once. */
export async function waitForFirst(item: Connection<unknown, unknown> | number): Promise<unknown> {
  return typeof item === 'number' ? item : waitFor(item)
}

/** Blocks its thread until the memory is notified; a number is returned at once. */
export function blockOn(item: SharedArrayBuffer | number): unknown {
  if (typeof item === 'number') return item
  Atomics.wait(new Int32Array(item), 0, 0, 20_000)
  return 'over'
}

/** Keeps its thread busy for `ms`. */
export function busyFor(ms: number): number {
  const end = performance.now() + ms
  while (performance.now() < end);
  return ms
}

/** In shared memory: how often `countAndHang` was called with each number. */
const tallies: Int32Array[] = []

export function shareTally(memory: SharedArrayBuffer): void {
  tallies.push(new Int32Array(memory))
}

/** Hangs when it is called with 150 for the first time. */
export function countAndHang(n: number): number {
  const before = Atomics.add(tallies[0] as Int32Array, n, 1)
  while (n === 150 && before === 0);
  return n * n
}

/** Puts the worker's name, and waits until it is told to go on. So two such tasks need two workers. Gives the name. */
export async function meet(module: string, here: Queue<string>, there: Connection<unknown, unknown>): Promise<string> {
  const { currentProcess } = await loadContext(module)
  const { name } = currentProcess()
  await here.put(name)
  await there.recv()
  return name
}

export async function heed(module: string, orders: Connection<unknown, unknown>): Promise<void> {
  const { currentTask } = await loadContext(module)
  const signal = currentTask()?.signal
  await orders.send('running')
  if (!signal) throw new Error('no task')
  if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve))
  await orders.send(['aborted', (signal.reason as { code?: string })?.code ?? signal.reason])
}

/** Does not listen to the abort signal. */
export async function ignore(orders: Connection<unknown, unknown>): Promise<void> {
  await orders.send('running')
  await orders.recv().catch(() => {})
}

export async function spin(orders: Connection<unknown, unknown>): Promise<void> {
  await orders.send('running')
  await turns(1)
  for (;;);
}

export async function note(path: string, text: string): Promise<void> {
  const { appendFileSync } = await import('node:fs')
  appendFileSync(path, `${text}\n`)
}

const counts = new Map<string, number>()

/** How many tasks this worker has had, this one included. */
export async function countHere(module: string): Promise<{ name: string; count: number }> {
  const { currentProcess } = await loadContext(module)
  const { name } = currentProcess()
  const count = (counts.get(name) ?? 0) + 1
  counts.set(name, count)
  return { name, count }
}

const initialised = new Map<string, unknown[]>()

export async function initialise(module: string, path: string, text: string): Promise<void> {
  const { currentProcess } = await loadContext(module)
  const { name } = currentProcess()
  await note(path, `${name} ${text}`)
  initialised.set(name, [text])
}

export async function initialisedWith(module: string): Promise<unknown> {
  const { currentProcess } = await loadContext(module)
  return initialised.get(currentProcess().name) ?? null
}

export function failToInitialise(message: string): never {
  throw new RangeError(message)
}

export function exit(code: number): void {
  process.exit(code)
}

export function exitOn(n: number, on: number): number {
  if (n === on) process.exit(4)
  return n
}

/** Exits at the first call in any worker, which it notes in the file; succeeds afterwards. */
export async function exitOnce(path: string): Promise<string> {
  const { existsSync, writeFileSync } = await import('node:fs')
  if (existsSync(path)) return 'done'
  writeFileSync(path, '')
  process.exit(4)
}

export function throwLater(): Promise<never> {
  setImmediate(() => {
    throw new RangeError('thrown later')
  })
  return new Promise(() => {})
}

export function kill(bytes?: Uint8Array): void {
  void bytes
  process.kill(process.pid, 'SIGKILL')
  for (;;);
}

export function abort(): void {
  process.abort()
}

export function exhaustMemory(): number {
  const all: number[][] = []
  for (;;) all.push(new Array(100_000).fill(all.length))
}

export async function exitWhenTold(orders: Connection<unknown, unknown>): Promise<void> {
  await orders.send('running')
  await orders.recv()
  process.exit(5)
}

export async function nested(module: string, n: number): Promise<number[]> {
  const { Pool } = await loadContext(module)
  await using pool = new Pool(2)
  return await pool.map(square, [n, n + 1])
}

/** A value that misbehaves while it is encoded or decoded, here or there. */
export class Faulty {
  readonly at: string
  readonly how: string

  constructor(
    at: 'argument encode' | 'argument decode' | 'result encode' | 'result decode',
    how: 'throw' | 'exit' | 'kill',
  ) {
    this.at = at
    this.how = how
  }
}

export function giveFaulty(...args: ConstructorParameters<typeof Faulty>): Faulty {
  return new Faulty(...args)
}

function misbehave(how: string): void {
  if (how === 'throw') throw new RangeError('it misbehaves')
  if (how === 'exit') process.exit(7)
  kill()
}

/** An initializer, also called in the parent. The parent encodes arguments and decodes results; the worker does the opposite. */
export async function registerFaulty(module: string): Promise<void> {
  const { registerType } = (await import(/* @vite-ignore */ module)) as {
    registerType(type: typeof Faulty, options: object): void
  }
  registerType(Faulty, {
    name: '@mp/conformance.Faulty',
    encode(value: Faulty) {
      if (value.at.endsWith('encode')) misbehave(value.how)
      return [value.at, value.how]
    },
    decode(data: ConstructorParameters<typeof Faulty>) {
      if (data[0].endsWith('decode')) misbehave(data[1])
      return new Faulty(...data)
    },
  })
}

export async function useQueue(queue: Queue<unknown>): Promise<Queue<unknown>> {
  await queue.put('from the worker')
  return queue
}

export async function waitForOrFail(
  orders: Connection<unknown, unknown> | null,
  message: string | null,
): Promise<unknown> {
  if (message !== null) throw new RangeError(message)
  return orders && waitFor(orders)
}

export async function noteOrFail(path: string, message: string | null): Promise<void> {
  if (message !== null) throw new RangeError(message)
  await note(path, 'ran')
}

export function exitOnArray([n, on]: [number, number]): number {
  return exitOn(n, on)
}

export async function exitUnlessFirst(path: string): Promise<void> {
  const { existsSync, writeFileSync } = await import('node:fs')
  if (existsSync(path)) process.exit(8)
  writeFileSync(path, '')
}

export async function exists(path: string): Promise<boolean> {
  const { existsSync } = await import('node:fs')
  return existsSync(path)
}

/** What a pool of this context's own has before its first job, and what it has then. */
export async function poolOfItsOwn(module: string): Promise<[before: number, after: number]> {
  const { Pool } = await loadContext(module)
  await using pool = new Pool(2)
  const before = pool.stats().workers
  await pool.apply(square, [2])
  return [before, pool.stats().workers]
}

let storage: AsyncLocalStorage<number> | undefined

/** Enters an async context with `n`, and stays there. Gives what the context was before. */
export function enter(n: number): number | null {
  storage ??= new AsyncLocalStorage()
  const before = storage.getStore() ?? null
  storage.enterWith(n)
  return before
}

export async function enterLater(n: number): Promise<number | null> {
  await turns(1)
  return enter(n)
}

/** Bytes that no message can hold; for odd numbers an error that has them. */
export function giveTooMuch(n: number): Uint8Array {
  const bytes = new Uint8Array(1024 ** 3)
  if (n % 2 === 1) throw Object.assign(new RangeError('too much'), { bytes })
  return bytes
}
