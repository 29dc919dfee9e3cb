import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Connection, Process, Queue } from '@mp/core'
import { eventually, rejects, runProgram, within } from './harness.js'
import type { ConformanceOptions } from './suite.js'
import * as targets from './targets-faults.js'

/** ms in which everything that waits for a peer must settle once it was killed. */
const SOON = 2_000
const KILLS = 200
/** ms that one test may take on a loaded machine; on two free cores the longest takes 35 s. */
const LONGEST = 180_000
/** Producers that live at once: so many start side by side, and are killed one by one. */
const ABREAST = 12
const GARBAGE = 36
/** The checksum of three zeros. */
const NOTHING = targets.checksumOf(new Uint8Array(3))
const MiB = 1024 * 1024

export interface FaultsOptions extends ConformanceOptions {
  /** The descriptor on which a child has the wire to its parent, to write garbage to. Frames there begin with a u32 length. */
  readonly wireDescriptor?: number
}

/**
 * Faults in numbers, for transports whose peers are processes: kills at random moments of a flow, a consumer that stands still,
 * and descriptors that run out. Each test prints how many of its faults hit what they were meant for, and fails where none did.
 * Takes about a minute on two cores.
 */
export function faults({ transport, context, module, describe, test, wireDescriptor }: FaultsOptions): void {
  if (transport.capabilities.isolation !== 'process') {
    throw new TypeError(`the children of ${transport.name} cannot be killed: there are no faults to try`)
  }
  const trial = new Faults(context)
  const fault = (name: string, body: () => Promise<void>) => test(name, { timeout: LONGEST, skip: false }, body)
  describe(`faults of ${transport.name}`, () => {
    fault(`${KILLS} producers are killed in the middle of a flow`, () => trial.killProducers(KILLS))
    fault(`one of three consumers is killed, ${KILLS} times`, () => trial.killConsumers(KILLS))
    fault('a consumer that stands still for 3 s costs its producer little memory, and then gets everything', () =>
      trial.stopConsumer(),
    )
    if (wireDescriptor !== undefined) {
      fault(`${GARBAGE} children write garbage to their wire: they are ended, and nobody else is harmed`, () =>
        trial.garbage(wireDescriptor),
      )
    }
    fault('descriptors run out while children start: a clean error each, and nothing is left', () =>
      outOfDescriptors(String(module)),
    )
  })
}

type Api = ConformanceOptions['context']

class Faults {
  readonly #api: Api

  constructor(api: Api) {
    this.#api = api
  }

  async killProducers(kills: number): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'mp-faults-'))
    const notes = join(folder, 'begun')
    writeFileSync(notes, new Uint8Array(4 * kills))
    const queue = new this.#api.Queue<targets.Numbered>()
    const received = new Uint32Array(kills)
    const wrong: string[] = []
    let bytes = 0
    const take = (item: targets.Numbered) => {
      const { producer, sequence, checksum } = item
      bytes += item.bytes.length
      if (sequence !== received[producer]) wrong.push(`${producer}: ${sequence} came after ${received[producer]} items`)
      if (targets.checksumOf(item.bytes) !== checksum) wrong.push(`${producer}: number ${sequence} is torn`)
      received[producer] = sequence + 1
    }
    let consuming = true
    const consumed = this.#takeWhile(() => consuming, queue, take)
    let slowest = 0
    let before: Usage | undefined
    try {
      for (let first = 0; first < kills; first += ABREAST) {
        const batch = Array.from({ length: Math.min(ABREAST, kills - first) }, (_, i) => first + i)
        const children = await Promise.all(batch.map(producer => this.#startProducer(queue, producer, notes)))
        for (const [index, child] of children.entries()) {
          await eventually(() => (received[first + index] as number) > 0, 'the first item of a producer')
          await pause(Math.random() * 10)
          child.kill()
          const killedAt = performance.now()
          assert.equal(await within(child.join(), 'join', SOON), -9)
          slowest = Math.max(slowest, performance.now() - killedAt)
        }
        // The second batch finds everything loaded and grown.
        if (first === ABREAST) before = await usage()
      }
    } finally {
      consuming = false
      await queue.shutdown()
      await within(consumed, 'the end of the consumer')
    }
    const begun = new Uint32Array(new Uint8Array(readFileSync(notes)).buffer)
    rmSync(folder, { recursive: true })
    const inTheMiddle = begun.filter((count, producer) => count > (received[producer] as number)).length
    const items = received.reduce((sum, count) => sum + count, 0)
    const after = await usage()
    tell(
      `${kills} producers killed, ${inTheMiddle} in the middle of a put; ${items} items, ${(bytes / MiB).toFixed(0)} MiB; ` +
        `slowest join ${slowest.toFixed(0)} ms; ${describeGrowth(before as Usage, after)}`,
    )
    assert.deepEqual(wrong, [])
    assert.ok(inTheMiddle > 0, 'no kill came in the middle of a put')
    assertFlat(before as Usage, after)
  }

  async #startProducer(queue: Queue<targets.Numbered>, producer: number, notes: string): Promise<Process> {
    const child = new this.#api.Process({ target: targets.produceForEver, args: [queue, producer, notes] })
    await within(child.start(), 'start')
    return child as unknown as Process
  }

  async #takeWhile(wanted: () => boolean, queue: Queue<targets.Numbered>, take: (item: targets.Numbered) => void) {
    while (wanted()) {
      try {
        take(await queue.get())
      } catch (error) {
        if ((error as { code?: string }).code !== 'MP_SHUT_DOWN') throw error
      }
    }
  }

  /** Several queues side by side, with three consumers each, since a consumer takes long to start. */
  async killConsumers(kills: number): Promise<void> {
    const before = await usage()
    const flows = await Promise.all([0, 1, 2, 3].map(index => this.#flow(Math.floor((kills + index) / 4))))
    const sum = (of: (flow: FlowResult) => number) => flows.reduce((total, flow) => total + of(flow), 0)
    const slowest = Math.max(...flows.map(flow => flow.slowest))
    const after = await usage()
    const [killed, lost] = [sum(flow => flow.killed), sum(flow => flow.lost)]
    tell(
      `${killed} consumers killed, ${lost} with an item in hand; ${sum(flow => flow.put)} items; ` +
        `longest wait of the producer ${slowest.toFixed(0)} ms; ${describeGrowth(before, after)}`,
    )
    assert.equal(killed, kills)
    assert.ok(lost > 0, 'no kill came while a consumer had an item')
    assert.ok(lost <= killed, `${killed} consumers had one item each in hand, and ${lost} are lost`)
    assert.ok(slowest < SOON, `a put waited for ${slowest} ms`)
    assertFlat(before, after)
  }

  async #flow(kills: number): Promise<FlowResult> {
    const queue = new this.#api.Queue<number>(100)
    const acknowledged = new Map<number, number>()
    const consumers = await Promise.all([0, 1, 2].map(() => this.#startConsumer(queue, acknowledged)))
    let put = 0
    let slowest = 0
    let going = true
    const producing = (async () => {
      for (; going; put++) {
        const start = performance.now()
        await within(queue.put(put), `put ${put}`)
        slowest = Math.max(slowest, performance.now() - start)
        // As fast as it can be, and yet others have their turn.
        if (put % 50 === 49) await new Promise(resolve => setImmediate(resolve))
      }
    })()
    for (let killed = 0; killed < kills; killed++) {
      const index = Math.floor(Math.random() * consumers.length)
      const [victim] = consumers.splice(index, 1) as [Consumer]
      const before = victim.count()
      await eventually(() => victim.count() > before, 'an acknowledgement')
      await pause(Math.random() * 5)
      victim.child.kill()
      assert.equal(await within(victim.child.join(), 'join', SOON), -9)
      await within(victim.acks, 'the end of its acknowledgements', SOON)
      consumers.push(await this.#startConsumer(queue, acknowledged))
    }
    going = false
    await producing
    await eventually(async () => (await queue.qsize()) === 0, 'the last item')
    // A consumer that waits for the next item has acknowledged all before it.
    await eventually(() => consumers.every(({ idle }) => idle()), 'the last acknowledgements')
    for (const { child, acks } of consumers) {
      child.kill()
      await within(child.join(), 'join', SOON)
      await within(acks, 'the end of the acknowledgements', SOON)
    }
    const doubled = [...acknowledged].filter(([, times]) => times > 1)
    assert.deepEqual(doubled, [])
    await queue.close()
    return { killed: kills, put, lost: put - acknowledged.size, slowest }
  }

  async #startConsumer(queue: Queue<number>, acknowledged: Map<number, number>): Promise<Consumer> {
    const [mine, theirs] = this.#api.Pipe<never, number>()
    const child = new this.#api.Process({ target: targets.consumeForEver, args: [queue, theirs as never] })
    await within(child.start(), 'start')
    let count = 0
    let last = performance.now()
    const listen = async () => {
      for await (const item of mine as Connection<never, number>) {
        acknowledged.set(item, (acknowledged.get(item) ?? 0) + 1)
        count++
        last = performance.now()
      }
    }
    return {
      child: child as unknown as Process,
      acks: listen(),
      count: () => count,
      idle: () => performance.now() - last > 100,
    }
  }

  async garbage(descriptor: number): Promise<void> {
    const uncaught: unknown[] = []
    const onUncaught = (error: unknown) => void uncaught.push(error)
    process.on('uncaughtException', onUncaught)
    const before = await usage()
    let ended = 0
    let harmless = 0
    let most = 0
    try {
      for (let first = 0; first < GARBAGE; first += ABREAST) {
        const children = await Promise.all(
          Array.from({ length: ABREAST }, async (_, i) => {
            const [mine, theirs] = this.#api.Pipe<string, string>()
            const args = [theirs as never, descriptor, makeGarbage(first + i)] as const
            const child = new this.#api.Process({ target: targets.writeTo, args: [...args] })
            await within(child.start(), 'start')
            assert.equal(await within(mine.recv(), 'the word'), 'ready')
            return { child, mine }
          }),
        )
        const judge = async ({ child, mine }: (typeof children)[number]) => {
          await mine.send('go')
          // A few are legal: then the child lives.
          const code = await child.join({ timeout: SOON / 4 })
          most = Math.max(most, process.memoryUsage().arrayBuffers)
          if (code === null) {
            harmless++
            child.kill()
          } else {
            ended++
            await rejects(child.result(), 'MP_WORKER_LOST', SOON)
          }
          assert.equal(await within(child.join(), 'join', SOON), -9)
          await rejects(mine.recv(), 'MP_EOF', SOON)
        }
        await Promise.all(children.map(judge))
      }
      assert.equal(await within(this.#api.Process.run(targets.checksumOf, new Uint8Array(3)), 'another child'), NOTHING)
    } finally {
      process.off('uncaughtException', onUncaught)
    }
    const after = await usage()
    tell(`${ended} children ended for garbage, ${harmless} wrote what is legal; ${describeGrowth(before, after)}`)
    assert.deepEqual(uncaught, [])
    assert.ok(ended >= GARBAGE / 2, `only ${ended} of ${GARBAGE} were ended`)
    assert.ok(most < 64 * MiB, `${(most / MiB).toFixed(0)} MiB were in buffers`)
    assertFlat(before, after)
  }

  async stopConsumer(): Promise<void> {
    const queue = new this.#api.Queue<{ sequence: number; text: string }>(100)
    const [mine, theirs] = this.#api.Pipe<never, string>()
    const child = new this.#api.Process({ target: targets.consumeInOrder, args: [queue, theirs as never] })
    await within(child.start(), 'start')
    assert.equal(await within(mine.recv(), 'the word'), 'ready')
    const text = 'x'.repeat(1_024)
    let sequence = 0
    let put = Promise.resolve()
    const putUntil = async (end: number) => {
      for (; performance.now() < end; sequence++) {
        put = queue.put({ sequence, text })
        if ((await Promise.race([put, pause(Math.max(1, end - performance.now()), 'late')])) === 'late')
          return sequence++
      }
      return undefined
    }
    await putUntil(performance.now() + 300)
    const flowing = sequence
    process.kill(child.pid as number, 'SIGSTOP')
    const before = await usage()
    await putUntil(performance.now() + 3_000)
    const after = await usage()
    const whileStopped = sequence - flowing
    process.kill(child.pid as number, 'SIGCONT')
    await within(put, 'the put that waited')
    await putUntil(performance.now() + 300)
    await within(put, 'the last put')
    await within(queue.put({ sequence: -1, text: '' }), 'the end')
    const outcome = await within(child.result(), 'result')
    tell(`${flowing} items before the stop, ${whileStopped} during it, ${outcome}; ${describeGrowth(before, after)}`)
    assert.equal(outcome, `${sequence} in order`)
    assert.ok(flowing > 100, 'nothing flowed before the stop')
    // What the queue holds, what was under way, and a put that waits.
    assert.ok(whileStopped < 1_000, `${whileStopped} items were put while nobody took any`)
    assert.ok(after.memory - before.memory < 10 * MiB, describeGrowth(before, after))
    assert.equal(await within(child.join(), 'join'), 0)
  }
}

/** What a child writes: what is no stream of frames, and frames whose messages are none. */
function makeGarbage(index: number): Uint8Array[] {
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
  const u32 = (value: number) => new Uint8Array(new Uint32Array([value]).buffer)
  const framed = (...bytes: number[]) => [u32(bytes.length), Uint8Array.from(bytes)]
  switch (index % 12) {
    case 0:
      return [u32(0xffffffff), random(100)]
    case 1:
      return [u32(0)]
    case 2:
      return [u32(64 * MiB), random(100)]
    case 3:
      return [new TextEncoder().encode('console output that went to the wrong descriptor\n')]
    case 4:
      // A message that is longer than its frame; by 4 GiB.
      return framed(20, 0xff, 0xff, 0xff, 0xff, 1, 2, 3)
    case 5:
      // A fragment of a message of 4 GiB.
      return framed(2, 6, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1)
    case 6:
      // A second READY, half of it; a message of no known type; a result that is no value.
      return framed(17, 1, 0, 0, 0, 0)
    case 7:
      return framed(63, 4, 0, 0, 0, 1, 2, 3, 4)
    case 8:
      return framed(19, 3, 0, 0, 0, 0, 0xdf, 0xff)
    case 9:
      // A channel that was never offered, joined to another.
      return framed(11, 8, 0, 0, 0, 99, 0, 0, 0, 98, 0, 0, 0)
    case 10: {
      const bytes = random(4_000)
      return [u32(bytes.length), bytes]
    }
    default:
      return Array.from({ length: 50 }, () => random(1 + Math.floor(Math.random() * 2_000)))
  }
}

interface FlowResult {
  readonly killed: number
  readonly put: number
  readonly lost: number
  /** ms */
  readonly slowest: number
}

interface Consumer {
  readonly child: Process
  /** Settles when all its acknowledgements have been read. */
  readonly acks: Promise<void>
  count(): number
  idle(): boolean
}

/** Runs short of descriptors in a program of its own, whose limit is low. */
async function outOfDescriptors(module: string): Promise<void> {
  const { code, stdout, stderr } = await runProgram('out-of-descriptors', module, {}, { descriptors: 40 })
  assert.equal(stderr, '')
  assert.equal(code, 0, stdout)
  const { started, refused, afterwards, left } = JSON.parse(stdout)
  tell(`${started} children started, ${refused} refused for want of descriptors, ${left} left`)
  assert.ok(started > 0 && refused > 0, 'the descriptors did not run out')
  assert.equal(afterwards, 'started')
  assert.equal(left, 0)
}

interface Usage {
  readonly descriptors: number
  /** Bytes that are in use, after a collection. */
  readonly memory: number
}

/** Twice, with a turn between: what a collection finds dead, its finalizers free. */
async function usage(): Promise<Usage> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 3; i++) {
    collect()
    await new Promise(resolve => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
  return { descriptors, memory: heapUsed + external }
}

function assertFlat(before: Usage, after: Usage): void {
  const said = describeGrowth(before, after)
  assert.ok(after.descriptors <= before.descriptors + 4, said)
  assert.ok(after.memory < before.memory + 16 * MiB, said)
}

function describeGrowth(before: Usage, after: Usage): string {
  const memory = (bytes: number) => (bytes / MiB).toFixed(1)
  return `descriptors ${before.descriptors} to ${after.descriptors}, memory ${memory(before.memory)} to ${memory(after.memory)} MiB`
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}

function pause<T>(ms: number, value?: T): Promise<T> {
  return new Promise(resolve => setTimeout(resolve, ms, value as T))
}
