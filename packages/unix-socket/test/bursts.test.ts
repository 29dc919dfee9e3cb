import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { within } from '@mp/conformance'
import { type Connection, type Listener, listen, openQueue, Queue } from '@mp/unix-socket'
import { describe, it, onTestFinished } from 'vitest'

const BURST = 1_500

type Outcomes = Record<string, number>

/** Another program, with so many clients that connect at once. `outcomes`: how many had which. */
function burst(listener: Listener): { settled: Promise<unknown>; outcomes: Promise<Outcomes> } {
  const path = fileURLToPath(new URL('./fixtures/burst.mjs', import.meta.url))
  const program = spawn(process.execPath, [path, listener.address, String(BURST)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void program.kill('SIGKILL'))
  const lines = createInterface(program.stdout)[Symbol.asyncIterator]()
  const settled = within(lines.next(), 'the connects', 40_000)
  const outcomes = settled
    .then(() => within(lines.next(), 'the outcomes', 40_000))
    .then(({ value }) => JSON.parse(value) as Outcomes)
  return { settled, outcomes }
}

async function echo(connection: Connection): Promise<void> {
  try {
    await connection.send(await connection.recv())
    await connection.recv()
  } catch {
    // The client has gone.
  }
  await connection.close()
}

async function serve(listener: Listener): Promise<void> {
  for await (const connection of listener) void echo(connection)
}

/** Each client was served, or told to come again. */
function checkAll(outcomes: Outcomes): void {
  const { served = 0, MP_BUSY = 0, ...others } = outcomes
  if (Object.keys(others).length > 0 || served + MP_BUSY !== BURST) throw new Error(JSON.stringify(outcomes))
}

function compute(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

describe(`a burst of ${BURST} good clients`, { timeout: 60_000 }, () => {
  it('is served by a listener that accepts', async ({ expect }) => {
    await using listener = await listen({ authKey: 'x' })
    const serving = serve(listener)
    const outcomes = await burst(listener).outcomes
    checkAll(outcomes)
    expect(outcomes.served).toBeGreaterThan(BURST / 2)
    await listener.close()
    await serving
  })

  it('is served, or told MP_BUSY, by a listener that computes', async () => {
    await using listener = await listen({ authKey: 'x' })
    const serving = serve(listener)
    const { outcomes } = burst(listener)
    let going = true
    void outcomes.finally(() => {
      going = false
    })
    while (going) {
      compute(1_000)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    checkAll(await outcomes)
    await listener.close()
    await serving
  })

  it('is told MP_BUSY by a listener that does not accept, but for those that it accepts later', async ({ expect }) => {
    await using listener = await listen({ authKey: 'x' })
    const { settled, outcomes } = burst(listener)
    await settled
    const queue = new Queue()
    void listener.serve({ queue })
    await (await within(openQueue(listener.address, 'queue', { authKey: 'x' }), 'openQueue')).close()
    const serving = serve(listener)
    expect(await outcomes).toEqual({ served: 256, MP_BUSY: BURST - 256 })
    await listener.close()
    await serving
  })
})
