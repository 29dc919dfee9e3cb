// A child prints more than a pipe holds, and ends. The main part tells on stderr how `join()` went.

import { spawn } from 'node:child_process'

const { Pool, Process, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export async function print(how: string): Promise<void> {
  for (let i = 0; i < 3_000; i++) console.log(`line ${i} ${'-'.repeat(80)}`)
  if (how === 'throw') throw new Error('it threw')
  if (how !== 'uncaught') return
  setImmediate(() => {
    throw new Error('it threw')
  })
  await new Promise(resolve => setTimeout(resolve, 60_000))
}

/** Leaves a process behind that holds this one's stdout open. */
export function leave(): void {
  const left = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], {
    stdio: ['ignore', 'inherit', 'ignore'],
  })
  left.unref()
  console.log(left.pid)
}

if (isMainProcess) {
  const { MP_CONFORMANCE_HOW: how, MP_CONFORMANCE_STDIO: stdio } = process.env
  const start = performance.now()
  process.stdout.on('error', () => {})
  if (how === 'pool') {
    const pool = new Pool(1, { stdio })
    await pool.apply(print, ['return'])
    pool.close()
    await pool.join()
  } else {
    const child = new Process({ target: how === 'leave' ? leave : print, args: how === 'leave' ? [] : [how], stdio })
    child.start()
    await child.join()
  }
  console.error(`joined after ${Math.round(performance.now() - start)} ms`)
  // Nobody waits for what this program's stdout still holds.
  if (process.env.MP_CONFORMANCE_EXIT) process.exit()
}
