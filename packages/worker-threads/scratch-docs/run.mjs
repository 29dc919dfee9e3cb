import { isMainProcess, Process, Queue, Pipe } from '@mp/worker-threads'
export async function makeQueue() { const q = new Queue(); await q.put('item'); return q }
export async function slowChild(q) { await q.put('late') }
export async function spawnsChild(q) { new Process({ target: slowChild, args: [q] }).start() }
export async function unawaited(q) { for (let i = 0; i < 200; i++) void q.put(new Uint8Array(100_000)) }
if (isMainProcess) {
  const q = await Process.run(makeQueue)
  console.log('run: queue made by target:', await q.get().catch(e => e.code))
  const q2 = new Queue()
  await Process.run(spawnsChild, q2)
  await new Promise(r => setTimeout(r, 300))
  console.log('run: grandchild put arrived:', await q2.qsize())
  const p = new Process({ target: spawnsChild, args: [q2] }); p.start(); await p.join()
  console.log('join: grandchild put arrived:', await q2.qsize())
  const q3 = new Queue(); await Process.run(unawaited, q3); await new Promise(r => setTimeout(r, 300)); console.log('run unawaited', await q3.qsize())
  const p4 = new Process({ target: unawaited, args: [q3] }); p4.start(); await p4.join(); console.log('join unawaited', await q3.qsize())
}
