import type { MessageReader } from '../context/message-reader.js'
import type { AnyFunction } from '../process/function-reference.js'
import { turn } from '../runtime/turn.js'
import type { CurrentTask } from './current-task.js'
import { asDecodeError } from './decode-error.js'
import type { Failure } from './function-table.js'
import type { TaskPacket } from './packet.js'
import * as protocol from './protocol.js'
import type { ResultSender } from './result-sender.js'

/** ms that tasks may hold the event loop of their worker, which must hear of aborts. */
export const LONGEST_HOLD = 10
/** ms that items may take between two looks at the clock, roughly. */
const LOOK_EVERY = 1
/** The most items between two looks. */
const LONGEST_STRIDE = 1024

/** Calls the functions of a worker's tasks, and hands on what came of them. */
export class TaskRunner {
  readonly #reader: MessageReader
  readonly #results: ResultSender

  constructor(reader: MessageReader, results: ResultSender) {
    this.#reader = reader
    this.#results = results
  }

  /** Runs the current task of the packet. Gives a promise only where there is something to wait for. */
  run(packet: TaskPacket, call: AnyFunction | Failure, task: CurrentTask): Promise<void> | undefined {
    let given: unknown
    try {
      if (typeof call !== 'function') throw call.error
      given = this.#reader.read(packet)
    } catch (error) {
      // What a registered type's `decode` threw is not an error of the function, which never ran.
      this.#results.failed(packet.task, asDecodeError(error, 'the task could not be read where it was to run'))
      return undefined
    }
    const { how } = packet
    if (how === protocol.EACH || how === protocol.EACH_SPREAD) {
      return this.#runEach(packet, call, given as unknown[], task)
    }
    try {
      const value = how === protocol.ITEM ? call(given) : call(...(given as unknown[]))
      if (isThenable(value)) return this.#awaitResult(packet, value)
      return this.#results.give(packet, value)
    } catch (error) {
      this.#results.failed(packet.task, error)
      return undefined
    }
  }

  async #awaitResult(packet: TaskPacket, value: PromiseLike<unknown>): Promise<void> {
    try {
      await this.#results.give(packet, await value)
    } catch (error) {
      this.#results.failed(packet.task, error)
    }
  }

  async #runEach(packet: TaskPacket, call: AnyFunction, items: unknown[], task: CurrentTask): Promise<void> {
    const id = packet.task
    const spread = packet.how === protocol.EACH_SPREAD
    const results: unknown[] = new Array(items.length)
    let failures: Map<number, unknown> | undefined
    let stride = 1
    let next = 1
    let looked = performance.now()
    let turned = looked
    for (let i = 0; i < items.length; i++) {
      if (i === next) {
        const now = performance.now()
        stride = now - looked > LOOK_EVERY ? Math.max(1, stride >> 1) : Math.min(LONGEST_STRIDE, stride * 2)
        next = i + stride
        looked = now
        if (now - turned > LONGEST_HOLD) {
          await turn()
          turned = performance.now()
        }
        if (task.aborted) return this.#results.dropped(id)
      }
      try {
        const value = spread ? call(...(items[i] as unknown[])) : call(items[i])
        results[i] = isThenable(value) ? await value : value
      } catch (error) {
        failures ??= new Map()
        failures.set(i, error)
      }
    }
    if (!failures) {
      try {
        return await this.#results.give(packet, results)
      } catch {
        // One of the results cannot travel. Each goes for itself then, so that the others do.
      }
    }
    await this.#giveEach(id, results, failures)
  }

  async #giveEach(id: number, results: unknown[], failures: Map<number, unknown> | undefined): Promise<void> {
    for (let i = 0; i < results.length; i++) {
      if (failures?.has(i)) {
        this.#results.rejected(id, i, failures.get(i))
        continue
      }
      try {
        await this.#results.fulfilled(id, i, results[i])
      } catch (error) {
        this.#results.rejected(id, i, error)
      }
    }
    this.#results.settled(id)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
