import { isMainProcess, Process, Queue, Pipe } from '@mp/worker-threads'
export async function producer(q, c) {
  await q.qsize()
  const p = q.put('reserved')
  await c.send('asked')
  process.nextTick(() => { const e = performance.now() + 800; while (performance.now() < e); })
  await p.then(() => 0, () => 0)
}
if (isMainProcess) {
  const q = new Queue(1); const [a, b] = Pipe()
  const c = new Process({ target: producer, args: [q, b] }); await c.start()
  await a.recv()
  await new Promise(r => setTimeout(r, 100))
  await q.shutdown({ immediate: true })
  const t = performance.now()
  console.log('get after immediate shutdown:', await q.get().catch(e => e.code), Math.round(performance.now() - t))
  await c.join()
}
