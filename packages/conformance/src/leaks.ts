import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

/** ms after a case until everything it used must be gone. The environment may set it, as it may the harness's patience. */
export const longestSettling = () => Math.min(3_000, Number(process.env.MP_CONFORMANCE_PATIENCE ?? 3_000))

/**
 * What this program holds at a moment. Resources that keep it alive are named by Node. What does not keep it alive, and so
 * leaks unseen (an unreferenced socket, a thread that still runs), takes descriptors, and a peer that nobody waits for is
 * still a child: both are counted where the operating system tells them (Linux).
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

/** What `after` holds beyond `before`, in words. */
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

/** Waits until nothing is held beyond `before`; gives what still is when the time is over. */
export async function leftBeyond(before: Holdings): Promise<readonly string[]> {
  const end = performance.now() + longestSettling()
  for (let ms = 2; ; ms = Math.min(2 * ms, 50)) {
    const left = beyond(holdings(), before)
    if (left.length === 0 || performance.now() > end) return left
    await pause(ms)
  }
}

/**
 * What the program holds apart from the suite. A test runner's own timers come and go, and can hide a leak from the check
 * after each case: here is what stays.
 */
export class Baseline {
  #holdings = holdings()
  #temporary: { readonly folder: string; readonly previous: string | undefined } | undefined
  #measured: Promise<void> | undefined
  readonly #warmUp: () => Promise<void>

  /** `warmUp` makes what Node and the transport make once per program, so that no case is blamed for it. */
  constructor(warmUp: () => Promise<void>) {
    this.#warmUp = warmUp
  }

  /** Before the first case, whichever is the first that runs. */
  measured(): Promise<void> {
    this.#measured ??= this.#measure()
    return this.#measured
  }

  async #measure(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'mp-conformance-'))
    this.#temporary = { folder, previous: process.env.TMPDIR }
    // Others use the machine's own folder, too, and their sockets are none of ours.
    process.env.TMPDIR = folder
    await this.#warmUp()
    // Node opens descriptors for signals with the first child.
    await promisify(execFile)(process.execPath, ['--version'])
    await this.#settle()
  }

  async assertBack(): Promise<void> {
    const left = await leftBeyond(this.#holdings)
    if (left.length === 0) return
    // One leak is told once.
    await this.#settle()
    throw new Error(`left behind: ${left.join(', ')}`)
  }

  end(): void {
    if (!this.#temporary) return
    const { folder, previous } = this.#temporary
    if (previous === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = previous
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
    // Gone between the looks.
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
