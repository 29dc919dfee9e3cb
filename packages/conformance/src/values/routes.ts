import { within } from '../harness.js'
import * as targets from '../targets-values.js'
import type { Trial } from '../trial.js'

/** A way to another context and back, for one value at a time. */
export interface Route {
  trip(value: unknown): Promise<unknown>
  /** Each trip needs a new process. */
  readonly slow: boolean
  end(): Promise<void>
}

/** All ways in which a value can travel. */
export const routes: Readonly<Record<string, (t: Trial) => Promise<Route>>> = {
  'arguments and results': async t => ({
    slow: true,
    async trip(value) {
      const [arrived] = await t.run(targets.giveValues, value)
      return arrived
    },
    async end() {},
  }),
  items: t => queues(t, 0),
  'items of a bounded queue': t => queues(t, 1),
  messages: async t => {
    const [mine, theirs] = t.pipe()
    const child = await t.start(targets.echoValues, [theirs])
    return {
      slow: false,
      async trip(value) {
        await mine.send(value)
        return within(mine.recv(), 'recv')
      },
      async end() {
        await mine.close()
        await t.ends(child)
      },
    }
  },
  'what a target throws': async t => ({
    slow: true,
    async trip(value) {
      const child = await t.start(targets.throwValues, [[value]], { stdio: 'ignore' })
      const error = (await within(
        child.result().then(
          () => undefined,
          thrown => thrown,
        ),
        'result',
      )) as Thrown
      await t.ends(child, 1)
      const { values } = error
      // The cause holds the same objects, in the same error.
      return error.cause.values[0] === values[0] || Object.is(error.cause.values[0], values[0]) ? values[0] : error
    },
    async end() {},
  }),
  'items within one process': async t => {
    const queue = new t.api.Queue()
    return {
      slow: false,
      async trip(value) {
        await queue.put(value)
        return queue.get()
      },
      async end() {},
    }
  },
}

interface Thrown {
  readonly values: readonly unknown[]
  readonly cause: { readonly values: readonly unknown[] }
}

async function queues(t: Trial, maxsize: number): Promise<Route> {
  const [there, back] = [new t.api.Queue(maxsize), new t.api.Queue(maxsize)]
  const child = await t.start(targets.echoValueItems, [there, back])
  return {
    slow: false,
    async trip(value) {
      await within(there.put(value), 'put')
      return within(back.get(), 'get')
    },
    async end() {
      await there.shutdown()
      await t.ends(child)
    },
  }
}
