import { isMainProcess, Process, Queue, Pipe } from '@mp/worker-threads'
export async function makeHome(c) {
  const q = new Queue(); await c.send(q)
  await c.recv()
  const e = performance.now() + 1000; while (performance.now() < e);
}
if (isMainProcess) {
  const [a, b] = Pipe()
  const c2 = new Process({ target: makeHome, args: [b] })
  await c2.start()
  const q = await a.recv(); await q.qsize(); await a.send(1)
  await new Promise(r => setTimeout(r, 100))
  const t = performance.now()
  await q.flush({ timeout: 100 }).then(() => console.log('flush resolved after', performance.now() - t), e => console.log('flush rejects', e.code))
  await c2.join()
}
