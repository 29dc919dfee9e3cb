// For `--import`: notes what isMainProcess is, and starts a process if it is told so. Run by itself, it starts a process.

import { appendFileSync, readFileSync } from 'node:fs'

const { Process, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)
const { MP_CONFORMANCE_HOW: how, MP_CONFORMANCE_RUNS: runs = '' } = process.env

async function start(): Promise<void> {
  if (how === 'timers') await new Promise(resolve => setTimeout(resolve, 20))
  const child = new Process({
    target: { module: new URL('../targets-process.js', import.meta.url), export: 'linger' },
    args: [300],
  })
  child.start()
  await child.result()
}

appendFileSync(runs, `${isMainProcess}\n`)
if (how !== 'guarded' && readFileSync(runs, 'utf8').split('\n').length < 12) {
  const started = start()
  if (how === 'top level') await started
}
