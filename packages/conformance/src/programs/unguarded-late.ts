// A program without a guard, in several shapes. Notes each of its runs in a file, and stops when there were too many.

import { appendFileSync, readFileSync } from 'node:fs'

const { Pool, Process, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)
const { MP_CONFORMANCE_HOW: how, MP_CONFORMANCE_RUNS: runs = '' } = process.env

export async function work(n: number): Promise<number> {
  await new Promise(resolve => setTimeout(resolve, 200))
  return n
}

async function main(): Promise<void> {
  appendFileSync(runs, isMainProcess ? 'm' : 'c')
  if (readFileSync(runs, 'utf8').length > 12) return
  if (how?.endsWith('timers')) {
    for (let i = 0; i < 3; i++) await new Promise(resolve => setTimeout(resolve, 10))
  }
  if (how?.endsWith('awaits')) for (let i = 0; i < 100; i++) await Promise.resolve()
  if (how?.startsWith('pool')) {
    await using pool = new Pool(2)
    await pool.map(work, [1, 2, 3])
  } else {
    const child = new Process({ target: work, args: [1] })
    child.start()
    await child.result()
  }
}

const running = main()
if (how?.endsWith('top level')) await running
