import { encode, encodeError } from '../codec/codec.js'
import { Envelope } from '../context/message-writer.js'
import type { Link } from '../link/link.js'
import { referenceFor } from '../process/function-reference.js'
import { appendBytes, appendU32, type ByteBuffer } from '../runtime/byte-buffer.js'
import type { Transport } from '../transport/transport.js'
import { beginEntry, endEntry, QUIET } from './packet.js'
import * as protocol from './protocol.js'
import type { SharedProgress } from './shared-progress.js'
import type { Callee, Task } from './task.js'

/** The most that goes in one packet: tasks, bytes. So the first results arrive while the worker is at the next packet. */
const PACKET = { tasks: 128, bytes: 16 * 1024 }

/** What a pool tells one of its workers. */
export class TaskSender {
  readonly #link: Link
  readonly #transport: Transport
  readonly #progress: SharedProgress | undefined
  /** Numbers of the functions that the worker knows. */
  readonly #told = new Set<number>()
  /** Tasks that `flush` sends. */
  readonly #outbox: Task[] = []

  constructor(link: Link, transport: Transport, progress: SharedProgress | undefined) {
    this.#link = link
    this.#transport = transport
    this.#progress = progress
  }

  /** The task leaves with the next `flush`. */
  push(task: Task): void {
    this.#outbox.push(task)
  }

  /** Sends what was pushed, at once: the worker waits for it. */
  flush(): void {
    const tasks = this.#outbox
    if (tasks.length === 0) return
    for (let next = 0; next < tasks.length; ) next = this.#sendPacket(tasks, next)
    tasks.length = 0
    this.#link.flush()
  }

  /** Asks for a task that the worker may not have begun. Where memory is shared, {@link SharedProgress} serves better. */
  recall(task: Task): void {
    task.recalled = true
    this.#link.control(protocol.RECALL, out => appendU32(out, task.number))
    this.#link.flush()
  }

  /** Tells that what the worker has not begun was taken back. */
  tellTaken(): void {
    this.#link.control(protocol.TAKEN)
    this.#link.flush()
  }

  /** Tells that nobody waits for the task any more. */
  abort(task: Task, reason: unknown): void {
    this.#link.control(protocol.ABORT, out => {
      appendU32(out, task.number)
      encodeError(reason, out, new Envelope(this.#transport))
    })
    this.#link.flush()
  }

  /** Sends the task at `first` of these, and those behind it that can go with it. Gives the index of the first that cannot. */
  #sendPacket(tasks: readonly Task[], first: number): number {
    const { job, callee, how, parcels } = tasks[first] as Task
    if (!this.#told.has(callee.number)) this.#tellFunction(callee)
    const quiet = this.#progress !== undefined && job.quiet
    let next = first
    const write = (out: ByteBuffer) => {
      appendU32(out, callee.number)
      out.reserve(1)
      const at = out.length++
      out.bytes[at] = how
      const most = Math.min(tasks.length, first + PACKET.tasks)
      do {
        const task = tasks[next++] as Task
        const entry = beginEntry(out, task.number)
        appendBytes(out, task.body.bytes, task.start, task.end)
        endEntry(out, entry)
        if (this.#progress) task.place = this.#progress.allow()
      } while (next < most && out.length - at < PACKET.bytes && fitsPacket(tasks[next] as Task))
      if (quiet && next > first + 1) out.bytes[at] = how | QUIET
    }
    const fitsPacket = (task: Task) =>
      task.callee === callee && task.how === how && (task.job === job || !quiet) && !task.parcels && !parcels
    this.#link.control(protocol.TASKS, write, parcels)
    return next
  }

  #tellFunction({ number, target, reference }: Callee): void {
    this.#told.add(number)
    this.#link.control(protocol.FUNCTION, out => {
      appendU32(out, number)
      encode(referenceFor(target, reference, this.#transport), out, new Envelope(this.#transport))
    })
  }
}
