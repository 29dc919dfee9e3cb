import { isMainProcess, Process, Queue, activeChildren } from '@mp/worker-threads'
export function noop() {}
if (isMainProcess) {
  const p = new Process({ target: noop, args: [Array.from({length: 3}, () => 'x'.repeat(400e6))] })
  console.log(await p.start().then(() => 'started', e => e.code), activeChildren().length)
}
