// The usual program: one file, whose main part waits at top level for the one that runs its export.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

export function work() {
  return 'worked'
}

const [, , targetUrl, how] = process.argv
if (how === 'process' || how === 'thread') {
  const { describeTarget } = await import(targetUrl)
  const argv = [targetUrl, JSON.stringify({ work: describeTarget(work) })]
  const loader = new URL('load.mjs', import.meta.url)
  const child =
    how === 'process'
      ? spawn(process.execPath, [fileURLToPath(loader), ...argv], { stdio: 'inherit' })
      : new Worker(loader, { argv })
  await once(child, 'exit')
}
