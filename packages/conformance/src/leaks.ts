import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { patience, patiently } from './patience.js'
import { keepTemporaryFilesIn } from './temporary-files.js'

/** ms after a case by which everything that it used must be gone. The environment may lower it. */
export const longestSettling = (): number => Math.min(3_000, patience())

/**
 * What this program holds at a moment. Node names the resources that keep it alive. Other leaks would go unseen: but an
 * unreferenced socket, or a thread that still runs, takes descriptors, and a peer that nobody waits for is still a child. Both are
 * counted where the operating system tells them (Linux).
 */
export interface Holdings {
  readonly resources: readonly string[]
  readonly descriptors: number
  readonly children: readonly string[]
  /** Socket files in the folder for temporary files. */
  readonly sockets: readonly string[]
}

export function holdings(): Holdings {
  return {
    resources: process.getActiveResourcesInfo(),
    descriptors: list('/proc/self/fd').length,
    children: list('/proc/self/task').flatMap(thread => childrenOf(thread)),
    sockets: socketsIn(tmpdir()),
  }
}

/** What `after` holds more than `before`, in words. */
export function beyond(after: Holdings, before: Holdings): readonly string[] {
  const descriptors = after.descriptors - before.descriptors
  return [
    ...moreOf(after.resources, before.resources),
    ...(descriptors > 0
      ? [`${descriptors} descriptors (a socket, a pipe, or a thread, which has some of its own)`]
      : []),
    ...moreOf(after.children, before.children).map(pid => `the process ${pid}`),
    ...moreOf(after.sockets, before.sockets),
  ]
}

/** What is in `after` more often than in `before`. */
export function moreOf(after: readonly string[], before: readonly string[]): readonly string[] {
  const rest = [...before]
  return after.filter(each => {
    const at = rest.indexOf(each)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

/** Waits until no more is held than `before`. Gives what more is still held when the time is over. */
export async function leftBeyond(before: Holdings): Promise<readonly string[]> {
  const end = performance.now() + patiently(longestSettling())
  for (let ms = 2; ; ms = Math.min(2 * ms, 50)) {
    const left = beyond(holdings(), before)
    if (left.length === 0 || performance.now() > end) return left
    await pause(ms)
  }
}

/**
 * What the program holds without the suite. A test runner's own timers come and go, and can hide a leak from the check after each
 * case. What stays shows here.
 */
export class Baseline {
  #holdings = holdings()
  #temporary: { readonly folder: string; restore(): void } | undefined
  #measured: Promise<void> | undefined
  readonly #warmUp: () => Promise<void>

  /** `warmUp` makes what Node and the transport make once in a program, so that no case is blamed for it. */
  constructor(warmUp: () => Promise<void>) {
    this.#warmUp = warmUp
  }

  /** To be awaited before each case; it measures before the first that runs. */
  measured(): Promise<void> {
    this.#measured ??= this.#measure()
    return this.#measured
  }

  async #measure(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'mp-conformance-'))
    // Other programs use the machine's folder for temporary files too, and their sockets must not count.
    this.#temporary = { folder, restore: keepTemporaryFilesIn(folder) }
    await this.#warmUp()
    // With the first child, Node opens descriptors for signals.
    await promisify(execFile)(process.execPath, ['--version'])
    await this.#settle()
  }

  async assertBack(): Promise<void> {
    const left = await leftBeyond(this.#holdings)
    if (left.length === 0) return
    // So that each leak is told only once.
    await this.#settle()
    throw new Error(`left behind: ${left.join(', ')}`)
  }

  end(): void {
    if (!this.#temporary) return
    const { folder, restore } = this.#temporary
    restore()
    rmSync(folder, { recursive: true, force: true })
  }

  async #settle(): Promise<void> {
    let least = holdings()
    for (let i = 0; i < 20; i++) {
      await pause(15)
      const now = holdings()
      const transient = moreOf(least.resources, now.resources)
      least = {
        resources: moreOf(least.resources, transient),
        descriptors: Math.min(least.descriptors, now.descriptors),
        children: least.children.filter(each => now.children.includes(each)),
        sockets: least.sockets.filter(each => now.sockets.includes(each)),
      }
    }
    this.#holdings = least
  }
}

function childrenOf(thread: string): readonly string[] {
  try {
    return readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' ').filter(Boolean)
  } catch {
    // The thread has ended, or the kernel does not tell.
    return []
  }
}

function socketsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter(each => each.isSocket())
      .map(each => join(each.parentPath, each.name))
  } catch {
    // The folder has gone in between.
    return []
  }
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
