import type { AsyncHook, AsyncLocalStorage } from 'node:async_hooks'
import { type ChildMark, childMark } from '../context/child-mark.js'
import { MpError } from '../errors.js'
import { turn } from '../runtime/turn.js'

/**
 * A child imports the module of its target. If that module, or one that it imports, starts a process, the new child does the same,
 * and so on without end. So a start is refused
 *
 * - in a child whose target has not begun: whatever runs there was imported;
 * - in what an import of a target's module has called, after any number of awaits, timers and callbacks;
 * - in a child with a preloaded module that imports a transport, outside what its target has called.
 *
 * The second and the third are told by the async context. That slows every `await` of the thread (from 60 to 240 ns), so it is
 * followed only while an import runs, or has left something that may call it back, and for the life of a child of the third kind.
 */

/** The async context of an import. */
class GuardedImport {
  readonly module: string
  readonly refused: Promise<never>
  #refuse!: (error: MpError) => void

  constructor(module: string) {
    this.module = module
    this.refused = new Promise((_, reject) => {
      this.#refuse = reject
    })
    this.refused.catch(() => {})
  }

  refuse(error: MpError): void {
    this.#refuse(error)
  }
}

/** ms. How long after an import the end of what it has left is looked for: meanwhile an `await` takes 1300 ns. */
const LONGEST_LOOK = 1000

/** The async context of a child's target. */
const TARGET = Symbol('target')

/** Knows of the running code whether an import has called it. */
class ImportTracker {
  readonly #storage: AsyncLocalStorage<GuardedImport | typeof TARGET>
  readonly #hook: AsyncHook
  /** What may call back into an import: timers, requests, handles. A promise alone cannot, once the turn is over. */
  readonly #pending = new Map<number, WeakRef<object>>()
  #importing = 0
  #limit: NodeJS.Timeout | undefined
  /** Async contexts are followed for good. */
  #kept = false

  constructor() {
    const { AsyncLocalStorage: Storage, createHook } = process.getBuiltinModule('node:async_hooks')
    this.#storage = new Storage()
    this.#hook = createHook({
      init: (id, type, _trigger, resource) => {
        if (type === 'PROMISE' || !(this.#storage.getStore() instanceof GuardedImport)) return
        this.#pending.set(id, new WeakRef(resource))
      },
      destroy: id => {
        if (this.#pending.delete(id)) this.#rest()
      },
    })
  }

  get running(): GuardedImport | typeof TARGET | undefined {
    return this.#storage.getStore()
  }

  /** Calls `load`. Fulfils in a later turn, when the microtasks that the import has left are over. */
  async import<T>(scope: GuardedImport, load: () => Promise<T>): Promise<T> {
    this.#importing++
    this.#hook.enable()
    try {
      return await this.#storage.run(scope, load)
    } finally {
      await turn()
      this.#importing--
      this.#rest()
      if (this.#pending.size > 0) this.#limit ??= setTimeout(() => this.#keep(), LONGEST_LOOK).unref()
    }
  }

  runTarget<T>(target: () => T): T {
    this.#kept = true
    return this.#storage.run(TARGET, target)
  }

  #rest(): void {
    if (this.#importing > 0) return
    for (const ref of this.#pending.values()) if (!isOutput(ref)) return
    this.#stopLooking()
    if (!this.#kept) this.#storage.disable()
  }

  /** What an import has left is there to stay. Looking for its end costs more than to follow async contexts for good. */
  #keep(): void {
    this.#kept = true
    if (this.#importing > 0) return
    this.#stopLooking()
    // Node looks for the end of promises until all hooks are off. What is on its way keeps its async context.
    this.#storage.disable()
    this.#storage.run(TARGET, () => {})
  }

  #stopLooking(): void {
    clearTimeout(this.#limit)
    this.#limit = undefined
    this.#pending.clear()
    this.#hook.disable()
  }
}

/** stdout or stderr, which an import that prints has made. It stays, and calls nothing. */
function isOutput(ref: WeakRef<object>): boolean {
  const { fd } = (ref.deref() ?? {}) as { fd?: number }
  return fd === 1 || fd === 2
}

let tracker: ImportTracker | undefined

let refusal: MpError | undefined
let onRefusal: ((error: MpError) => void) | undefined

/** Throws MP_BAD_TARGET where nothing may be started: in what a child imports. `name`: of the process that is to start. */
export function checkStart(name: string): void {
  // The copy of core that the child's boot module loaded knows of the imports.
  const check = childMark()?.checkStart ?? refuseImported
  check(name)
}

/** As {@link checkStart}, by what this copy of core knows. */
export function refuseImported(name: string): void {
  const scope = tracker?.running
  const mark = childMark()
  if (scope instanceof GuardedImport) throw refuse(scope.module, name, scope)
  if (mark && !mayStart(mark)) throw refuse('A preloaded module', name)
}

function mayStart({ begun, preloaded }: ChildMark): boolean {
  return begun && (!preloaded || tracker?.running === TARGET)
}

function refuse(module: string, name: string, scope?: GuardedImport): MpError {
  const error = new MpError(
    'MP_BAD_TARGET',
    `${module} starts a process (${name}) whenever it is imported, so also in its child: put what only the main program shall do inside \`if (isMainProcess) { ... }\``,
  )
  refusal ??= error
  scope?.refuse(error)
  onRefusal?.(error)
  return error
}

/** Imports a module of the user's through `load`. Rejects with the refusal, at once, where the module starts a process. */
export async function importGuarded<T>(module: string, load: () => Promise<T>): Promise<T> {
  tracker ??= new ImportTracker()
  const scope = new GuardedImport(module)
  const loaded = tracker.import(scope, load)
  // If the import fails because of the refused start, the refusal comes first. It is the cause that helps the user.
  return Promise.race([scope.refused, loaded])
}

/** For a child: throws the refusal of a start that came before its target could be looked for. */
export function throwEarlyRefusal(): void {
  if (refusal) throw refusal
}

/** For a child: calls its target. From now on the target may start processes. `refused` hears of starts that are refused. */
export function beginTarget<T>(mark: ChildMark, target: () => T, refused: (error: MpError) => void): T {
  onRefusal = refused
  mark.begun = true
  if (!mark.preloaded) return target()
  tracker ??= new ImportTracker()
  return tracker.runTarget(target)
}
