import { Process, Queue, Pipe, isMainProcess, currentProcess, parentProcess } from '@mp/worker-threads'
export function t() { console.log(currentProcess().name, currentProcess().pid, parentProcess().name, parentProcess().pid === process.pid) ; class Foo extends Error {}; throw Object.assign(new Foo('boom'), { code: 'E_BOOM', extra: 1 }) }
if (isMainProcess) {
  const p = new Process({ target: t, stdio: 'inherit' })
  p.start()
  await p.result().catch(e => console.log(e.name, e.code, e.extra, e.message, e.constructor.name))
  console.log(await p.join(), p.exitCode)
  const [r, s] = Pipe(false)
  await s.send({ when: new Date(0), big: 10n, bytes: Buffer.from('hi'), map: new Map([[1, new Set([2])]]) })
  console.log(await r.recv())
  const buf = new ArrayBuffer(8); await s.send(buf, { transfer: [buf] }); console.log(buf.byteLength, await r.recv())
  try { structuredClone(s) } catch (e) { console.log(e.code) }
  console.log(await r.send(1).catch(e => e.code), await r.recv({ timeout: 50 }).catch(e => e.code))
  await s.close(); console.log(await r.poll(), await r.recv().catch(e => e.code))
  const q = new Queue(1); await q.put(1); console.log(await q.put(2, { timeout: 20 }).catch(e => e.code), await q.putNowait(2).catch(e => e.code), await q.full())
  await q.put(() => {}).catch(e => console.log(e.code, e.message))
  const local = () => {}
  await new Process({ target: local }).start().catch(e => console.log(e.code, e.message))
}
