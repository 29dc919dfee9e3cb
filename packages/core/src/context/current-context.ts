import type { AsyncLocalStorage } from 'node:async_hooks'
import { Context } from './context.js'

let root: Context | undefined
/** Tells apart the children that run in this thread. It slows every promise of the thread, so it exists only while they do. */
let sameThread: AsyncLocalStorage<Context> | undefined

/** The context that the calling code belongs to. */
export function currentContext(): Context {
  const inner = sameThread?.getStore()
  if (inner) return inner
  root ??= new Context(
    {
      id: `${process.pid.toString(36)}${Date.now().toString(36)}`,
      name: 'MainProcess',
      pid: process.pid,
      daemon: false,
      path: [],
    },
    null,
  )
  return root
}

/** Makes this thread, or process, the child `context`. */
export function becomeChild(context: Context): void {
  root = context
}

let inSameThread = 0

/** Runs `action`, and everything that follows from it, as a child in this same thread. */
export async function runInside<T>(context: Context, action: () => Promise<T>): Promise<T> {
  sameThread ??= new (process.getBuiltinModule('node:async_hooks').AsyncLocalStorage)()
  inSameThread++
  try {
    return await sameThread.run(context, action)
  } finally {
    // While it is enabled, every promise of the thread is slower.
    if (--inSameThread === 0) sameThread.disable()
  }
}
