import { setTimeout as delay } from 'node:timers/promises'
import type { Process, Target } from '@mp/core'
import { CheckError } from './payloads.js'
import type { TransportModule } from './transports.js'

/** A child that a round started. */
export interface Child {
  /** Settles as `work` does, but rejects if the child ends first, so that no round waits for a dead child. */
  during<T>(work: Promise<T>): Promise<T>
  /** What its target returned. */
  result(): Promise<unknown>
  /** Waits for the child's orderly end. */
  ended(): Promise<void>
}

/** How a case comes by a child: `startChild`, or `hire`. */
export type Begin = <A extends unknown[], R>(module: TransportModule, target: Target<A, R>, args: A) => Child

const living = new Set<Process<unknown[], unknown>>()
const endLimit = 10_000 // ms
const lastWords = 1000 // ms in which messages may still arrive after the child's end was told

export function startChild<A extends unknown[], R>(
  { Process }: Pick<TransportModule, 'Process'>,
  target: Target<A, R>,
  args: A,
): Child {
  const child = new Process({ target, args, daemon: true }) as Process<unknown[], unknown>
  living.add(child)
  const over = new AbortController()
  const lost = Promise.resolve(child.start())
    .then(() => child.exited)
    .then(async code => {
      living.delete(child)
      await delay(lastWords, undefined, { signal: over.signal })
      throw new Error(`a child ended with exit code ${code} while its messages were awaited`)
    })
  return {
    ...watched(lost, () => child.result()),
    async ended() {
      over.abort()
      const code = await child.join({ timeout: endLimit })
      if (code === null) child.kill()
      if (code !== 0) throw new Error(code === null ? 'a child did not end' : `a child ended with exit code ${code}`)
      child.close()
    },
  }
}

/** `lost` rejects when the child ends. */
export function watched(lost: Promise<never>, result: () => Promise<unknown>): Pick<Child, 'during' | 'result'> {
  lost.catch(() => {}) // `during` tells it to whoever waits
  return {
    result,
    async during(work) {
      try {
        return await Promise.race([work, lost])
      } catch (error) {
        throw error instanceof CheckError ? error : await reasonOf(result(), error)
      }
    },
  }
}

/** The child's own error, if there is one: it is closer to the cause than `error`, which a call here threw. */
function reasonOf(result: Promise<unknown>, error: unknown): Promise<unknown> {
  const told = result.then(
    () => error,
    (reason: unknown) => reason,
  )
  return Promise.race([told, delay(lastWords, error)])
}

/** Kills all children, when the program ends early. Safe to call at any time. */
export function killChildren(): void {
  for (const child of living) {
    try {
      child.kill()
    } catch {
      // it was not started yet
    }
  }
  living.clear()
}
