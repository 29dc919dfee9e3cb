import { MpError } from '../errors.js'
import { Pending } from '../runtime/pending-call.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'

/** The creator of this context, as its child sees it. */
export class ParentProcess {
  readonly pid: number
  readonly name: string
  /** Fulfils when the creator has ended. It does not keep this context running; a pending `join()` does. */
  readonly exited: Promise<void>
  #alive = true
  #end!: () => void

  /** @internal */
  constructor(pid: number, name: string) {
    this.pid = pid
    this.name = name
    this.exited = new Promise(resolve => {
      this.#end = resolve
    })
  }

  isAlive(): boolean {
    return this.#alive
  }

  /** Waits for the creator's end; false if `timeout` ms pass first. */
  async join(options?: WaitOptions): Promise<boolean> {
    checkWait(options)
    if (!this.#alive) return true
    const pending = new Pending<boolean>()
    pending.limit(
      options,
      () => pending.resolve(false),
      () => {},
    )
    void this.exited.then(() => pending.resolve(true))
    return pending.promise
  }

  /** @internal */
  ended(): void {
    this.#alive = false
    this.#end()
  }
}

/** The calling context itself. */
export class CurrentProcess {
  readonly #identity: { name: string; readonly pid: number; readonly daemon: boolean }

  /** @internal */
  constructor(identity: { name: string; readonly pid: number; readonly daemon: boolean }) {
    this.#identity = identity
  }

  get name(): string {
    return this.#identity.name
  }

  set name(name: string) {
    if (typeof name !== 'string') throw new TypeError(`name must be a string, not ${typeof name}`)
    this.#identity.name = name
  }

  get pid(): number {
    return this.#identity.pid
  }

  get daemon(): boolean {
    return this.#identity.daemon
  }

  get exitCode(): null {
    return null
  }

  isAlive(): true {
    return true
  }

  /** Always rejects: a context that waits for its own end waits for ever. */
  join(): Promise<never> {
    return Promise.reject(new MpError('MP_INVALID_STATE', 'a process cannot join itself'))
  }
}
