import { fork, spawn } from 'node:child_process'
import { type EventEmitter, on } from 'node:events'
import { fstatSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HomeBoard, Offer } from '../src/board/board.js'
import { ClaimFile, type InheritedBoard } from '../src/board/claim-file.js'
import { offerBoard, openBoard } from '../src/board/offer.js'
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
    home.resume(5)
    holder.resume?.()
    expect(holder.claim(6)).toBe(true)
    expect(home.takeBack(6)).toBe(6)
    expect(home.takeBack(6)).toBe(6)
    expect(holder.waitedFor).toBe(false)
    home.ask(7, 8)
    expect(holder.claim(7)).toBe(true)
    expect([holder.asked, holder.waitedFor]).toEqual([0, true])
    expect(holder.claim(8)).toBe(true)
    expect([holder.asked, holder.waitedFor]).toEqual([7, true])
    home.ask(0, 0)
    expect(holder.claim(9)).toBe(true)
    expect([holder.asked, holder.waitedFor]).toEqual([0, false])
    open.close()
    close()
  })

  it('is its holder’s own, however many there are, and stays when others close theirs', () => {
    const context = {}
    const all = Array.from({ length: 600 }, () => {
      const offered = offerBoard(context, transport) as Offer
      const opened = openBoard(offered.slot, offered.text, offered.parcels)
      if (!opened) throw new Error('the board could not be opened')
      return { offered, opened }
    })
    for (const [i, { opened }] of all.entries()) for (let place = 1; place <= i % 3; place++) opened.board.claim(place)
    expect(all.map(({ offered }) => offered.board.begun)).toEqual(all.map((_, i) => i % 3))
    const close = ({ offered, opened }: (typeof all)[number]) => {
      opened.close()
      offered.close()
    }
    for (const [i, each] of all.entries()) if (i % 100 !== 99) close(each)
    for (const [i, each] of all.entries()) {
      if (i % 100 !== 99) continue
      expect(each.opened.board.claim(5)).toBe(true)
      expect(each.offered.board.takeBack(6)).toBe(5)
      close(each)
    }
  })

  it('goes on where the numbers of places wrap', () => {
    const { board: home, slot, text, parcels, close } = offer(transport)
    const open = openBoard(slot, text, parcels)
    const holder = open?.board
    const goOnBehind = (place: number) => {
      home.takeBack(place)
      home.resume(place)
    }
    for (let place = 0; place !== 0xffff_fffe; place = Math.min(place + 0x7000_0000, 0xffff_fffe)) goOnBehind(place)
    goOnBehind(0xffff_fffe)
    expect(holder?.claim(0xffff_ffff)).toBe(true)
    expect(holder?.claim(0)).toBe(true)
    expect(home.takeBack(3)).toBe(0)
    expect(holder?.claim(2)).toBe(false)
    home.resume(3)
    holder?.resume?.()
    expect(holder?.claim(4)).toBe(true)
    open?.close()
    close()
  })
})

it('claims nothing that was taken back twice', () => {
  const { board: home, slot, text, close } = offer(processes)
  const open = openBoard(slot, text, undefined)
  // Two of these stand for one holder: the second is at the place where the first one was between its two steps.
  const [holder, between] = [open?.board, openBoard(slot, text, undefined)?.board]
  expect(home.takeBack(5)).toBe(0)
  expect(holder?.claim(3)).toBe(false)
  expect(home.takeBack(5)).toBe(5)
  expect(between?.claim(3)).toBe(false)
  open?.close()
  close()
})

it('offers each transport of one context the boards that it can carry', () => {
  const context = new Context({ id: 'home', name: 'home', pid: process.pid, daemon: false, path: [] }, null)
  const offers = [threads, processes, threads].map(transport => offerBoard(context, transport) as Offer)
  expect(offers.map(({ parcels }) => parcels?.length ?? 0)).toEqual([1, 0, 1])
  for (const { slot, text, parcels } of offers) {
    const open = openBoard(slot, text, parcels)
    expect(open?.board.claim(1)).toBe(true)
    open?.close()
  }
  for (const { close } of offers) close()
})

it('lets a child claim through an offset that it shares, and its parent take back the rest', () => {
  const home = ClaimFile.make() as ClaimFile
  expect([home.take(), home.take()]).toEqual([true, false])
  // The same descriptor stands for the one that a child inherits: they share the offset.
  const holder = openBoard(home.file, home.nonce, undefined)?.board as InheritedBoard
  home.sent(5, 5)
  expect([holder.claim(), holder.claim()]).toEqual([true, true])
  expect(home.begun).toBe(2)
  expect(home.takeBack(5)).toBe(2)
  expect(home.revoked).toBe(true)
  expect([holder.claim(), holder.claim()]).toEqual([false, false])
  expect(holder.revoked).toBe(true)
  // Home hears that it has noticed, and goes on.
  home.resume(5)
  holder.resume()
  home.sent(7, 2)
  expect(holder.claim()).toBe(true)
  expect(home.begun).toBe(6)
  home.ask(9, 7)
  expect(holder.claim()).toBe(true)
  expect(holder.asked).not.toBe(0)
  // Nothing is out: nothing is taken back, and nothing need be noticed.
  expect(home.takeBack(7)).toBe(7)
  expect(home.revoked).toBe(false)
  // What is sent after the question is asked, too.
  home.sent(8, 1)
  expect(holder.claim()).toBe(true)
  expect(holder.asked).not.toBe(0)
  home.ask(0, 0)
  home.sent(9, 1)
  expect(holder.claim()).toBe(true)
  expect(holder.asked).toBe(0)
  // Place 10 is claimed by a message: it has no byte.
  home.sent(12, 2)
  expect(home.begun).toBe(9)
  expect(holder.claim()).toBe(true)
  expect(home.takeBack(12)).toBe(11)
  home.resume(12)
  holder.resume()
  // Of these three only the last one is of interest.
  home.sent(15, 3)
  home.ask(10, 15)
  for (const asked of [false, false, true]) {
    expect(holder.claim()).toBe(true)
    expect(holder.asked !== 0).toBe(asked)
    expect(holder.waitedFor).toBe(true)
  }
  home.release()
  home.release()
})

it('gives the memory of an asked file back', () => {
  const home = ClaimFile.make() as ClaimFile
  const holder = openBoard(home.file, home.nonce, undefined)?.board as InheritedBoard
  let most = 0
  for (let last = 64; last < 1_500_000; last += 64) {
    home.sent(last, 64)
    home.ask(last, last - 63)
    for (let i = 0; i < 64; i++) if (!holder.claim()) throw new Error(`place ${last - 64 + i} was not claimed`)
    if (last % 4096 === 0) most = Math.max(most, fstatSync(home.file).blocks * 512)
  }
  // A byte was written for each place.
  expect(most).toBeLessThan(1.1 * 1024 * 1024)
  home.release()
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
  board.resume?.()
  while (place < sent) {
    const mine = board.claim(place + 1)
    if (mine === undefined) continue
    place++
    if (mine) got.push(place)
  }
  if (!board.revoked) return
  if (parentPort) parentPort.postMessage('noticed')
  else process.send('noticed')
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
      `export { openBoard } from '${at('../src/board/offer.ts')}'\nexport { LiveObject } from '${at('../src/link/wire-end.ts')}'\n`,
    )
    await build({ entry: [entry], outDir: scratch, format: 'esm', target: 'node20', silent: true, config: false })
    await writeFile(join(scratch, 'package.json'), '{ "type": "module" }')
    program = join(scratch, 'holder.mjs')
    await writeFile(program, holderSource(pathToFileURL(join(scratch, 'entry.js')).href))
  })

  afterAll(() => rm(scratch, { recursive: true, force: true }))

  /** Sends a few places at a time, and takes them back at every stage of their being claimed. Each has one owner then. */
  async function race(home: HomeBoard, send: (sent: number) => void, hear: () => Promise<unknown>): Promise<void> {
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
      if (!home.revoked) continue
      expect(await hear()).toBe('noticed')
      home.resume(sent)
    }
    send(0)
    const got = new Set((await hear()) as number[])
    expect(got.size).toBeGreaterThan(0)
    expect(taken.size).toBeGreaterThan(0)
    for (let place = 1; place <= sent; place++) {
      const owners = (got.has(place) ? 1 : 0) + (taken.has(place) ? 1 : 0)
      if (owners !== 1) throw new Error(`place ${place} has ${owners} owners`)
    }
  }

  /** Gives one message after the other. */
  function listener(from: EventEmitter): () => Promise<unknown> {
    const messages = on(from, 'message')
    return async () => ((await messages.next()).value as [unknown])[0]
  }

  it('has one winner, between threads', async () => {
    const { board, slot, text, parcels, close } = offer(threads)
    const [memory] = (parcels ?? []).map(each => (each as LiveObject).object)
    const worker = new Worker(program, { workerData: { slot, text, memory } })
    const hear = listener(worker)
    await hear()
    await race(board, sent => worker.postMessage(sent), hear)
    close()
  })

  it('has one winner, between processes, by words in a file', async () => {
    const { board, slot, text, close } = offer(processes)
    const child = fork(program, [JSON.stringify({ slot, text })])
    const hear = listener(child)
    await hear()
    await race(board, sent => child.send(sent), hear)
    close()
  }, 60_000)

  it('has one winner, between a parent and its child, by the offset of a file', async () => {
    const board = ClaimFile.make() as ClaimFile
    const child = spawn(process.execPath, [program, JSON.stringify({ slot: 4, text: board.nonce })], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', board.file],
    })
    const hear = listener(child)
    await hear()
    let before = 0
    const send = (sent: number) => {
      if (sent > 0) board.sent(sent, sent - before)
      before = sent
      child.send(sent)
    }
    await race(board, send, hear)
    board.release()
  }, 60_000)
})
