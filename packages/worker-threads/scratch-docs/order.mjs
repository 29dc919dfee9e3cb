// A queue comes home: two Queue objects in one context, does one producer's order hold?
import { isMainProcess, Process, Queue, Pipe } from '@mp/worker-threads'
export async function home(c) { const q = new Queue(); await c.send(q); await c.recv(); await c.send(q) ; await c.recv() }
if (isMainProcess) {
  const [a, b] = Pipe(); const [x, y] = Pipe()
  const c = new Process({ target: home, args: [b] }); await c.start()
  const q1 = await a.recv(); await q1.put(0)
  await a.send(1); await a.send(2); await c.join()
  const q2 = await a.recv()
  for (let i = 1; i < 10; i++) await (i % 2 ? q1 : q2).put(i)
  const got = []; await q1.qsize(); while (!(await q2.empty())) got.push(await q2.get()); console.log(got.join(' '))
}
