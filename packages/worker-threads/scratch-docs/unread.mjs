import { isMainProcess, Process, Queue, Pipe } from '@mp/worker-threads'
export async function home(c) { const q = new Queue(); await q.put('item'); await c.send(q) }
export async function viaQueue(outer) { const q = new Queue(); await q.put('item'); await outer.put(q) }
if (isMainProcess) {
  let t = performance.now()
  const took = () => Math.round(performance.now() - t)
  const [a, b] = Pipe()
  const c = new Process({ target: home, args: [b] }); await c.start()
  if (process.argv[2] === 'pipe') {
    console.log('join', await c.join(), took())
    const q = await a.recv()
    console.log(await q.get().catch(e => e.code + ' ' + e.message), took())
  } else {
    const q = await a.recv()
    console.log('join', await c.join(), took(), await q.get())
    const outer = new Queue(); t = performance.now()
    const d = new Process({ target: viaQueue, args: [outer] }); await d.start()
    console.log('join', await d.join(), took())
    const inner = await outer.get()
    console.log(await inner.get().catch(e => e.code), took())
  }
}
