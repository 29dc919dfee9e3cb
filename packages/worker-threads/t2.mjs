const name = process.argv[2] ?? 'worker-threads'
export { }
const { Process, Queue, Pipe, isMainProcess, currentProcess, parentProcess } = await import(process.env.MP_T ?? '@mp/worker-threads')
export async function dies(conn) { await conn.send(1); await conn.send(2) }
export async function echo(conn) { for await (const m of conn) await conn.send(m) }
export async function makesQueue(n) { const q = new Queue(); for (let i=0;i<n;i++) await q.put(i); return q }
export async function relayUsed(q) { // makes pipe, uses it, hands used end
  const [a,b] = Pipe(); await b.send('one'); await b.send('two'); 
  console.log('child recv', await a.recv()); await q.put(a); await b.send('three'); await b.close()
}
export async function consumer(q, out) { for await (const x of q) await out.put(x) }
export async function nested(q) { const p = new Process({target: dies2, args:[q]}); await p.start(); await p.join(); return [p.name, currentProcess().name, parentProcess().name] }
export async function dies2(q) { await q.put(currentProcess().name + parentProcess().name) }
export async function boundedProd(q, n) { for (let i=0;i<n;i++) await q.put(i) }
if (isMainProcess) {
  { // EOF w/o opening
    const [a,b] = Pipe(); const p = new Process({target: dies, args:[b]}); p.start(); await p.join();
    console.log('poll', await a.poll(), await a.recv(), await a.poll(), await a.recv(), await a.poll(), await a.recv().catch(e=>e.code)) }
  { const p = new Process({target: makesQueue, args:[5]}); p.start(); const q = await p.result(); await p.join(); console.log('adopted size', await q.qsize(), await q.get(), await q.get()); await q.put(99); console.log(await q.qsize()) }
  { const q = new Queue(); const p = new Process({target: relayUsed, args:[q]}); p.start(); const c = await q.get(); console.log(await c.recv(), await c.recv(), await c.recv().catch(e=>e.code)); await p.join() }
  { const q = new Queue(), out = new Queue(); const ps=[1,2].map(()=>new Process({target: consumer, args:[q,out]})); await Promise.all(ps.map(p=>p.start()));
    for (let i=0;i<100;i++) await q.put(i); await q.shutdown(); await Promise.all(ps.map(p=>p.join())); const got=[]; while(!(await out.empty())) got.push(await out.get()); console.log('consumed', got.length, new Set(got).size) }
  { const q = new Queue(); const p = new Process({target: nested, args:[q]}); p.start(); console.log(await p.result(), await q.get()); await p.join()}
  { const q = new Queue(3); const p = new Process({target: boundedProd, args:[q, 20]}); p.start(); await new Promise(r=>setTimeout(r,100)); console.log('full', await q.full(), await q.qsize()); let s=0; for(let i=0;i<20;i++) s+=await q.get(); console.log(s, await p.join()) }
  { const [a,b]=Pipe(); const p = new Process({target: echo, args:[b]}); p.start(); const big=new Uint8Array(16<<20).fill(7); await a.sendBytes(big); const r=await a.recvBytes(); console.log(r.length, r[5]); await a.close(); console.log(await p.join()) }
  console.log('end')
}
