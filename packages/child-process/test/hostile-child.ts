import { within } from '@mp/conformance'
import type { BoundContext } from '@mp/core'
import { describe, it } from 'vitest'

const module = new URL('./fixtures/hostile.mjs', import.meta.url)

/** What a child does, and whether it is killed for it. */
const rows: readonly [does: string, killed: boolean][] = [
  ['leaves queues that are not its own', true],
  ['leaves what is no estate', true],
  ['leaves nothing', true],
  ['gives orders', true],
  ['speaks of what nobody knows', true],
  ['is unloadable, with what is no error', true],
  ['has a ticket that is none', true],
  ['has a table that is none', true],
  ['moves its parent', true],
  ['answers no move', true],
  ['sends pieces that do not fit', true],
  ['is another process', false],
  ['gives too much credit, and says that it has left', false],
  ['closes and joins channels that are not its own', false],
]

/** Tests that the children of a transport whose children are processes harm nobody else. */
export function describeHostileChildren({ Process, Queue }: Pick<BoundContext, 'Process' | 'Queue'>): void {
  describe('beside a child that breaks the protocol its parent and its sibling go on, when it', () => {
    it.each(rows)('%s', async (does, killed) => {
      const [queue, echoes, orders] = [new Queue<number>(), new Queue<number>(), new Queue<string>()]
      const sibling = new Process({ target: { module, export: 'passOn' }, args: [queue, echoes], daemon: true })
      const offender = new Process({
        target: { module, export: 'breakProtocol' },
        args: [queue, orders, does],
        daemon: true,
      })
      await Promise.all([sibling.start(), offender.start()])
      const { pid } = offender
      const trip = async (value: number) => {
        await queue.put(value)
        if ((await within(echoes.get(), 'the echo')) !== value) throw new Error('another item came back')
      }
      await trip(1)
      await orders.put('break it')
      if (killed) {
        await within(offender.join(), 'its end')
        if (offender.exitCode !== -9) throw new Error(`it ended with ${offender.exitCode}`)
      }
      for (let value = 2; value < 20; value++) await trip(value)
      if ((await queue.qsize()) !== 0) throw new Error('an item is left')
      if (offender.pid !== pid) throw new Error('it has another pid')
      if (!sibling.isAlive()) throw new Error('the sibling has ended')
      for (const each of [offender, sibling]) {
        each.kill()
        await within(each.join(), 'the end')
      }
    })
  })
}
