import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { MpErrorCode } from '@mp/core'
import { patience, patiently } from './patience.js'

/** Bounds a wait: rejects after `limit` ms, or longer where the patience is. The error has the stack of the caller. */
export async function within<T>(promise: PromiseLike<T>, what: string, limit?: number): Promise<T> {
  const ms = limitOf(limit)
  const late = new Error(`${what}: not within ${ms} ms`)
  Error.captureStackTrace(late, within)
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), ms)
  })
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
  }
}

function limitOf(limit: number | undefined): number {
  return limit === undefined ? patience() : patiently(limit)
}

/** Whether the process runs. A zombie, which only its parent can remove, has ended. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    const { readFileSync } = process.getBuiltinModule('node:fs')
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return process.platform !== 'linux'
  }
}

/** Waits until the condition holds. Gives what it returned. */
export async function eventually<T>(condition: () => T | PromiseLike<T>, what: string, limit?: number): Promise<T> {
  const ms = limitOf(limit)
  const late = new Error(`${what}: not within ${ms} ms`)
  Error.captureStackTrace(late, eventually)
  const end = performance.now() + ms
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() > end) throw late
    await pause(5)
  }
}

type Expected = MpErrorCode | (new (...args: never[]) => Error) | { readonly reason: unknown }

/** Asserts that the promise rejects in time with this code, with this class, or with this very reason. Gives the error. */
export async function rejects(promise: PromiseLike<unknown>, expected: Expected, ms?: number): Promise<Error> {
  const settled = promise.then(
    value => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  )
  const said = typeof expected === 'string' ? expected : 'reason' in expected ? String(expected.reason) : expected.name
  const { value, error } = await within(settled, `a rejection with ${said}`, ms)
  if (error === undefined) fail(`resolved with ${brief(value)} where ${said} was expected`, rejects)
  check(error, expected, rejects)
  return error as Error
}

/** Asserts that the call throws as expected. */
export function throws(call: () => unknown, expected: Expected): void {
  try {
    call()
  } catch (error) {
    return check(error, expected, throws)
  }
  fail('nothing was thrown', throws)
}

function check(error: unknown, expected: Expected, from: (...args: never[]) => unknown): void {
  if (typeof expected === 'string') {
    const code = (error as { code?: unknown })?.code
    if (code !== expected) fail(`expected ${expected}, got ${brief(error)}`, from, error)
  } else if ('reason' in expected) {
    if (error !== expected.reason) fail(`expected the reason itself, got ${brief(error)}`, from, error)
  } else if (!(error instanceof expected)) fail(`expected a ${expected.name}, got ${brief(error)}`, from, error)
}

function fail(message: string, from: (...args: never[]) => unknown, cause?: unknown): never {
  const error = new assert.AssertionError({ message, stackStartFn: from as never })
  throw Object.assign(error, { cause })
}

function brief(value: unknown): string {
  if (value instanceof Error) return `${value.name} ${(value as { code?: string }).code ?? ''}: ${value.message}`
  try {
    return String(JSON.stringify(value) ?? value).slice(0, 100)
  } catch {
    return String(value)
  }
}

/** How many ms the action took, and its result. */
export async function timed<T>(action: () => PromiseLike<T>): Promise<{ ms: number; value: T }> {
  const start = performance.now()
  const value = await action()
  return { ms: performance.now() - start, value }
}

/** Asserts that a time limit was kept: not before `expected` ms (timers may fire 1 ms early), and not much later. */
export function assertTook(ms: number, expected: number): void {
  assert.ok(ms >= expected - 5, `took ${ms} ms, which is before ${expected} ms`)
  assert.ok(ms < expected + patiently(2_000), `took ${ms} ms, which is long after ${expected} ms`)
}

/** Asserts that the promise does not settle for `ms`. May miss one that settles later, but never fails without cause. */
export async function assertPending(promise: PromiseLike<unknown>, ms = 50): Promise<void> {
  const settled = promise.then(
    value => `resolved with ${brief(value)}`,
    error => `rejected with ${brief(error)}`,
  )
  const outcome = await Promise.race([settled, pause(ms).then(() => undefined)])
  if (outcome) fail(`still pending was expected; it ${outcome}`, assertPending)
}
