import type { FunctionReference } from './function-reference.js'

/** Parent to child, once, before everything else. Body: u32 length | an encoded {@link StartOrder} | the encoded args. */
export const START = 16
/** Child to parent: the target was found. Body: u32 pid. */
export const READY = 17
/** Child to parent: the target was not found. Body: the encoded error. */
export const UNLOADABLE = 18
/** Child to parent: what the target returned. Body: the encoded value. */
export const RETURNED = 19
/** Child to parent: what the target, or an uncaught exception, threw. Body: the encoded error. */
export const THREW = 20
/** Child to parent: a queue, lock or barrier whose home moves to the parent. Body: an encoded Estate. */
export const ADOPT = 21
/** Child to parent: does the program go on? Asked by a child that has lost what it worked with. Each context passes it on. */
export const ASK_PROGRAM = 22
/** Parent to child: the answer of the main context, or of the last one that is there. Body: u32, 1 if the program goes on. */
export const PROGRAM_GOES_ON = 23

export interface StartOrder {
  readonly id: string
  readonly name: string
  /** Null where the medium does not tell it to the parent; then the child takes its own. */
  readonly pid: number | null
  readonly daemon: boolean
  /** Whether the child's stderr is ignored. */
  readonly quiet: boolean
  /** Whether there are handles among the arguments. */
  readonly handles: boolean
  readonly path: readonly number[]
  readonly parent: { readonly pid: number; readonly name: string }
  readonly target: FunctionReference | null
}
