import { MpError } from '../errors.js'
import { type AnyFunction, type FunctionReference, loadFunction } from '../process/function-reference.js'

export interface Failure {
  readonly error: unknown
}

/** The functions that a worker was told of, by number. */
export class FunctionTable {
  readonly #loaded = new Map<number, AnyFunction>()
  readonly #loading = new Map<number, Promise<AnyFunction>>()

  add(number: number, reference: FunctionReference): void {
    const loading = loadFunction(reference)
    loading.then(
      found => this.#loaded.set(number, found),
      () => {
        // Each task that calls it tells.
      },
    )
    this.#loading.set(number, loading)
  }

  /** The function where it is loaded. */
  get(number: number): AnyFunction | undefined {
    return this.#loaded.get(number)
  }

  /** Waits for the function. Never rejects: each task that calls it tells what went wrong. */
  async load(number: number): Promise<AnyFunction | Failure> {
    try {
      const loading = this.#loading.get(number)
      if (!loading) throw new MpError('MP_DECODE', `a task calls function ${number}, of which nothing was told`)
      return await loading
    } catch (error) {
      return { error }
    }
  }
}
