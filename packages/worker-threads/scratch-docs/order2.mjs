import { isMainProcess, Process, Queue, Pipe } from '@mp/worker-threads'
export async function home(c, twice) { const q = new Queue(); await c.send(q); await c.recv(); if (twice) await c.send(q) ; await c.recv() }
if (isMainProcess) for (const twice of [false, true]) for (const recvFirst of [false, true]) {
  const [a, b] = Pipe()
  const c = new Process({ target: home, args: [b, twice] }); await c.start()
  const q1 = await a.recv(); await q1.put(0)
  await a.send(1);
  let q2
  if (twice && recvFirst) q2 = await a.recv()
  await a.send(2); await c.join()
  const say = async (w, p) => console.log(twice, recvFirst, w, await p.catch(e => e.code))
  await say('q1 before recv', q1.qsize())
  if (twice && !recvFirst) q2 = await a.recv()
  await say('q1', q1.put(1).then(() => q1.qsize()))
  if (q2) await say('q2', q2.put(1).then(() => q2.qsize()))
}
