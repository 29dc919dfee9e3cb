import { isMainProcess, Process, Queue, Pipe } from '@mp/worker-threads'
export async function home(conn) {
  const q = new Queue()
  await q.put('first')
  await conn.send(q)
  await conn.recv()
  const end = performance.now() + 300
  while (performance.now() < end);
  process.exit(0)
}
if (isMainProcess) {
  const [a, b] = Pipe()
  const child = new Process({ target: home, args: [b] })
  await child.start()
  const q = await a.recv()
  console.log('qsize', await q.qsize())
  await a.send('go')
  await new Promise(r => setTimeout(r, 100))
  const put = q.put('second').then(() => console.log('put resolved'))
  const get = q.get().then(v => console.log('got', v), e => console.log('get rejects', e.code))
  console.log('exit', await child.join())
  await new Promise(r => setTimeout(r, 500))
  console.log('size afterwards', await q.qsize())
  await q.put('third')
  await new Promise(r => setTimeout(r, 500))
  console.log('size now', await q.qsize())
  setTimeout(() => { console.log('STILL PENDING'); process.exit() }, 1500)
  await get
  process.exit()
}
