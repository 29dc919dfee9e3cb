import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HomeBoard, type Offer, offerBoard, openBoard } from '../src/broker/board.js'
import { Context } from '../src/context/context.js'
import type { LiveObject } from '../src/link/wire-end.js'
import { stubTransport } from './stub-transport.js'

const threads = stubTransport({ reach: 'thread', sharedMemory: true, attachments: true })
const processes = stubTransport({ reach: 'process', isolation: 'process' })

function offer(transport: typeof threads): Offer {
  const context = new Context({ id: 'home', name: 'home', pid: process.pid, daemon: false, path: [] }, null)
  return offerBoard(context, transport) as Offer
}

describe.each([
  ['threads', threads],
  ['processes', processes],
])('a board between %s', (_, transport) => {
  it('lets the holder claim what home has sent, in order, and home take back the rest', () => {
    const { board: home, slot, text, parcels, close } = offer(transport)
    const open = openBoard(slot, text, parcels)
    const holder = open?.board
    if (!open || !holder) throw new Error('the board could not be opened')
    expect([holder.claim(1), holder.claim(2)]).toEqual([true, true])
    expect(home.begun).toBe(2)
    // Five were sent.
    expect(home.takeBack(5)).toBe(2)
    expect([holder.claim(3), holder.claim(4), holder.claim(5)]).toEqual([false, false, false])
    expect(home.begun).toBe(5)
    expect(holder.claim(6)).toBe(true)
    expect(home.takeBack(6)).toBe(6)
    expect(home.takeBack(6)).toBe(6)
    home.ask(7)
    expect(holder.claim(7)).toBe(true)
    expect(holder.asked).toBe(7)
    open.close()
    close()
  })

  it('goes on where the numbers of places wrap', () => {
    const { board: home, slot, text, parcels, close } = offer(transport)
    const open = openBoard(slot, text, parcels)
    const holder = open?.board
    for (let place = 0; place !== 0xffff_fffe; place = Math.min(place + 0x7000_0000, 0xffff_fffe)) home.takeBack(place)
    home.takeBack(0xffff_fffe)
    expect(holder?.claim(0xffff_ffff)).toBe(true)
    expect(holder?.claim(0)).toBe(true)
    expect(home.takeBack(3)).toBe(0)
    expect(holder?.claim(2)).toBe(false)
    expect(holder?.claim(4)).toBe(true)
    open?.close()
    close()
  })
})

it('opens no file but the one that was offered', () => {
  const { slot, text, close } = offer(processes)
  const [pid, file, nonce] = text.split(' ')
  for (const wrong of [
    '',
    text.slice(1),
    `${pid} ${file} ${'0'.repeat(32)}`,
    `${pid} 0 ${nonce}`,
    `${pid} 1000000 ${nonce}`,
    `../${text}`,
  ]) {
    expect(openBoard(slot, wrong, undefined), wrong).toBeUndefined()
  }
  expect(openBoard(256, text, undefined)).toBeUndefined()
  close()
})

/** The holder's side: claims what it is told was sent, place after place, and in the end says which it got. */
const holderSource = (board: string) => `
import { parentPort, workerData } from 'node:worker_threads'
import { LiveObject, openBoard } from '${board}'
const { slot, text, memory } = workerData ?? JSON.parse(process.argv[2])
const { board } = openBoard(slot, text, memory && [new LiveObject(memory)])
const got = []
let place = 0
function hear(sent) {
  if (sent === 0) {
    if (parentPort) parentPort.postMessage(got)
    else process.send(got, () => process.disconnect())
    parentPort?.close()
    return
  }
  while (place < sent) {
    const mine = board.claim(place + 1)
    if (mine === undefined) continue
    place++
    if (mine) got.push(place)
  }
}
if (parentPort) parentPort.on('message', hear)
else process.on('message', hear)
if (parentPort) parentPort.postMessage('ready')
else process.send('ready')
`

describe('a claim and a take-back at the same moment', () => {
  let scratch: string
  let program: string

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'mp-board-test-'))
    const entry = join(scratch, 'entry.ts')
    const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
    await writeFile(
      entry,
      `export { openBoard } from '${at('../src/broker/board.ts')}'\nexport { LiveObject } from '${at('../src/link/wire-end.ts')}'\n`,
    )
    await build({ entry: [entry], outDir: scratch, format: 'esm', target: 'node20', silent: true, config: false })
    await writeFile(join(scratch, 'package.json'), '{ "type": "module" }')
    program = join(scratch, 'holder.mjs')
    await writeFile(program, holderSource(pathToFileURL(join(scratch, 'entry.js')).href))
  })

  afterAll(() => rm(scratch, { recursive: true, force: true }))

  /** Sends a few places at a time, and takes them back at every stage of their being claimed. Each has one owner then. */
  async function race(home: HomeBoard, send: (sent: number) => void, answer: Promise<number[]>): Promise<void> {
    const size = 16
    const taken = new Set<number>()
    let sent = 0
    for (let turn = 0; turn < 1_000; turn++) {
      const first = sent + 1
      sent += size
      send(sent)
      await new Promise(resolve => setImmediate(resolve))
      // Until it has begun so many of them, or for a moment.
      const end = performance.now() + 2
      while (home.begun < first - 1 + (turn % size) && performance.now() < end);
      for (let place = Math.max(home.takeBack(sent), first - 1) + 1; place <= sent; place++) taken.add(place)
    }
    send(0)
    const got = new Set(await answer)
    expect(got.size).toBeGreaterThan(0)
    expect(taken.size).toBeGreaterThan(0)
    for (let place = 1; place <= sent; place++) {
      const owners = (got.has(place) ? 1 : 0) + (taken.has(place) ? 1 : 0)
      if (owners !== 1) throw new Error(`place ${place} has ${owners} owners`)
    }
  }

  it('has one winner, between threads', async () => {
    const { board, slot, text, parcels, close } = offer(threads)
    const [memory] = (parcels ?? []).map(each => (each as LiveObject).object)
    const worker = new Worker(program, { workerData: { slot, text, memory } })
    await once(worker, 'message')
    const answer = once(worker, 'message').then(([got]) => got as number[])
    await race(board, sent => worker.postMessage(sent), answer)
    close()
  })

  it('has one winner, between processes', async () => {
    const { board, slot, text, close } = offer(processes)
    const child = fork(program, [JSON.stringify({ slot, text })])
    await once(child, 'message')
    const answer = once(child, 'message').then(([got]) => got as number[])
    await race(board, sent => child.send(sent), answer)
    close()
  }, 60_000)
})
