import { isMainProcess, Process, Queue, Pipe, MpError } from '@mp/worker-threads'
export function forever() { return new Promise(r => setTimeout(r, 1e6)) }
export async function holder(q, c) { await q.qsize(); await c.send('r'); const e = performance.now()+1500; while (performance.now() < e); await q.get(); }
export async function fill(q, c) { await q.put(1); await c.send('r'); await c.recv() }
if (isMainProcess) {
  const p = new Process({ target: forever })
  p.start(); p.terminate()
  console.log('terminate during start:', await p.join().then(String, e => e.code), p.exitCode)
  // flush timeout with a blocked home
  const [a, b] = Pipe()
  const c2 = new Process({ target: makeHome, args: [b] })
  await c2.start()
  const q = await a.recv()
  const t = performance.now()
  await q.flush({ timeout: 100 }).then(() => console.log('flush took', performance.now() - t), e => console.log('flush rejects', e.code))
  c2.kill(); await c2.join()
  console.log('after kill get:', await q.get().catch(e => e.code))
}
export async function makeHome(c) {
  const q = new Queue(); await c.send(q)
  await new Promise(r => setTimeout(r, 50))
  const e = performance.now() + 1000; while (performance.now() < e);
  await new Promise(r => setTimeout(r, 1e5))
}
