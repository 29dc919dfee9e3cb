const CHILD = Symbol.for('@mp/core.child')

/**
 * An environment variable that core gives to every child with a thread or process of its own. By it the child knows what it is
 * from its first line on, when the modules are preloaded (`--import`, `--require`). It is deleted when it is read, since the
 * programs that the child starts are no children of this one.
 */
export const CHILD_VARIABLE = 'MP_CHILD'

/** What a child knows of its own start. */
export interface ChildMark {
  /** Its target has begun. */
  begun: boolean
  /** A transport was bound before the child's boot module served, so a preloaded module imports it. */
  preloaded: boolean
  /** Throws where a start is refused. Undefined until the boot module serves. */
  checkStart: ((name: string) => void) | undefined
}

/** All copies of core in this thread share it. */
const realm = globalThis as { [CHILD]?: ChildMark }

/** Makes this thread, or process, a child whose boot module serves, if it is none yet. */
export function markChild(checkStart: (name: string) => void): ChildMark {
  const mark = childMark() ?? newMark()
  mark.checkStart = checkStart
  return mark
}

/** Undefined where this thread, or process, is no child. */
export function childMark(): ChildMark | undefined {
  if (!realm[CHILD] && process.env[CHILD_VARIABLE] !== undefined) newMark()
  return realm[CHILD]
}

function newMark(): ChildMark {
  delete process.env[CHILD_VARIABLE]
  realm[CHILD] = { begun: false, preloaded: false, checkStart: undefined }
  return realm[CHILD]
}
