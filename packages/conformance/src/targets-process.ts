/** What children run in the cases about processes: how they end, who they are, and their own children. */

import type { Connection } from '@mp/core'
import { loadContext } from './load-context.js'
import { keep, obey } from './targets.js'
import { turns } from './turns.js'

export async function failLater(message: string): Promise<never> {
  await turns(3)
  throw new RangeError(message)
}

export async function failUncaught(kind: 'exception' | 'rejection'): Promise<void> {
  setImmediate(() => {
    if (kind === 'exception') throw new RangeError('uncaught')
    void Promise.reject(new RangeError('unhandled'))
  })
  await new Promise(resolve => setTimeout(resolve, 60_000))
}

/** Throws where nobody awaits it, and has a handler of its own for that. */
export async function handleUncaught(): Promise<string> {
  const handled = new Promise<string>(resolve => {
    process.once('uncaughtException', error => resolve(`handled: ${error.message}`))
  })
  setImmediate(() => {
    throw new RangeError('uncaught')
  })
  return handled
}

export function failWith(kind: 'aggregate' | 'cause' | 'fields' | 'class' | 'string' | 'undefined'): never {
  switch (kind) {
    case 'aggregate':
      throw new AggregateError([new TypeError('one'), new RangeError('two')], 'both')
    case 'cause':
      throw new Error('outer', { cause: new TypeError('inner') })
    case 'fields':
      throw Object.assign(new SyntaxError('fields'), { code: 'E_FIELDS', detail: { at: 7 } })
    case 'class': {
      class HomemadeError extends Error {
        override name = 'HomemadeError'
        code = 'E_HOMEMADE'
      }
      throw new HomemadeError('homemade')
    }
    case 'string':
      throw 'only a string'
    case 'undefined':
      throw undefined
  }
}

export function giveUnsendable(): unknown {
  return { callback: () => {} }
}

export function exit(code: number | undefined, before?: number): void {
  if (before !== undefined) process.exitCode = before
  if (code === undefined) process.exit()
  process.exit(code)
}

export function reallyExit(code: number): void {
  ;(process as unknown as { reallyExit(code: number): void }).reallyExit(code)
}

export function abort(): void {
  process.abort()
}

export function killItself(signal: NodeJS.Signals): Promise<void> {
  process.kill(process.pid, signal)
  return new Promise(resolve => setTimeout(resolve, 60_000))
}

/** Sets an exit handler that writes to a file, and ends in the way that `how` says. */
export async function noteExit(path: string, how: 'return' | 'throw' | 'exit'): Promise<void> {
  const { appendFileSync } = await import('node:fs')
  process.on('exit', code => appendFileSync(path, `exit ${code}\n`))
  if (how === 'throw') throw new Error('noted')
  if (how === 'exit') process.exit(5)
}

/** Waits within `try`. Writes to a file if its `finally` block or its exit handler runs. */
export async function noteFinally(path: string, orders: Connection<string, unknown>): Promise<void> {
  const { appendFileSync } = await import('node:fs')
  process.on('exit', () => appendFileSync(path, 'exit\n'))
  try {
    await orders.send('running')
    await new Promise(resolve => setTimeout(resolve, 60_000))
  } finally {
    appendFileSync(path, 'finally\n')
  }
}

/** Where a case whose child runs in its thread finds what clears the timer. */
export const STRAY = Symbol.for('@mp/conformance.stray')

export async function leaveStray(): Promise<string> {
  const { createServer } = await import('node:net')
  const timer = setInterval(() => {}, 60_000)
  const server = createServer().listen(0, '127.0.0.1')
  ;(globalThis as { [STRAY]?: () => void })[STRAY] = () => {
    clearInterval(timer)
    server.close()
  }
  return 'done'
}

/** Waits for what can never happen. */
export function waitForNothing(): Promise<never> {
  return new Promise(() => {})
}

export async function spin(orders: Connection<string, unknown>): Promise<void> {
  await orders.send('running')
  await turns(2)
  for (;;);
}

export async function block(orders: Connection<string, unknown>): Promise<void> {
  await orders.send('running')
  await turns(2)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

export async function whoAmI(module: string) {
  const { currentProcess, parentProcess, activeChildren, isMainProcess } = await loadContext(module)
  const { name, pid, daemon, exitCode } = currentProcess()
  const parent = parentProcess()
  return {
    name,
    pid,
    daemon,
    exitCode,
    isAlive: currentProcess().isAlive(),
    children: activeChildren().length,
    isMainProcess,
    parent: parent && { name: parent.name, pid: parent.pid, isAlive: parent.isAlive() },
  }
}

export async function namesOfOwnProcesses(module: string): Promise<string[]> {
  const { Process } = await loadContext(module)
  return [new Process().name, new Process().name]
}

export async function daemonFlags(module: string) {
  const { Process, currentProcess } = await loadContext(module)
  return {
    own: currentProcess().daemon,
    inherited: new Process().daemon,
    overridden: new Process({ daemon: false }).daemon,
  }
}

/** Gives what `whoAmI` tells here, and in `depth` generations of children below. */
export async function nest(module: string, depth: number): Promise<unknown[]> {
  const { Process, activeChildren } = await loadContext(module)
  if (depth === 0) return [await whoAmI(module)]
  const child = new Process({ target: nest, args: [module, depth - 1] })
  await child.start()
  const inner = await child.result()
  const code = await child.join()
  return [{ ...(await whoAmI(module)), childCode: code, childrenLeft: activeChildren().length }, ...inner]
}

export async function joinItself(module: string): Promise<string> {
  const { currentProcess } = await loadContext(module)
  return currentProcess()
    .join()
    .then(
      () => 'joined',
      error => error.code,
    )
}

export function environment(name: string) {
  return { value: process.env[name], cwd: process.cwd(), execArgv: process.execArgv }
}

export async function environmentOfChild(module: string, name: string) {
  const { Process } = await loadContext(module)
  return { child: environment(name), grandchild: await Process.run(environment, name) }
}

/** Takes memory until none is left. */
export function hoard(): number {
  const hoarded: object[] = []
  for (let i = 0; ; i++) hoarded.push({ i, text: `${i}`.padEnd(64) })
}

export async function readStdin(): Promise<number> {
  let length = 0
  for await (const chunk of process.stdin) length += (chunk as Uint8Array).length
  return length
}

/** Changes what it was given, and gives what it saw before and after. */
export async function change(object: { list: number[] }, orders: Connection<string, unknown>): Promise<number[]> {
  const seen = [...object.list]
  object.list.push(99)
  await orders.send('changed')
  await orders.recv()
  return [...seen, object.list.length]
}

/** Starts a child, daemon or not, and ends. Gives whether the child is a daemon. */
export async function startGrandchild(
  module: string,
  daemon: boolean,
  orders: Connection<string, unknown>,
): Promise<boolean> {
  const { Process } = await loadContext(module)
  const child = new Process({ target: keep, args: [null, orders], daemon })
  await child.start()
  return child.daemon
}

/** Watches its parent: notes in a file whether it lives, and when it has ended. A file, since not every pipe outlives the parent. */
export async function watchParent(module: string, path: string): Promise<void> {
  const { appendFileSync } = await import('node:fs')
  const { parentProcess } = await loadContext(module)
  const parent = parentProcess()
  const look = async (timeout: number) =>
    appendFileSync(path, `${JSON.stringify([parent?.isAlive(), await parent?.join({ timeout })])}\n`)
  await look(10)
  await parent?.join()
  await look(0)
}

export async function startWatcher(module: string, path: string, orders: Connection<string, unknown>): Promise<void> {
  const { Process } = await loadContext(module)
  const watcher = new Process({ target: watchParent, args: [module, path], daemon: false })
  await watcher.start()
  await obey(orders)
}

export async function startGrandchildAndObey(
  module: string,
  watch: Connection<string, unknown>,
  orders: Connection<string, unknown>,
): Promise<void> {
  const { Process } = await loadContext(module)
  const child = new Process({ target: keep, args: [null, watch], daemon: true })
  await child.start()
  await obey(orders)
}

export function linger(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
