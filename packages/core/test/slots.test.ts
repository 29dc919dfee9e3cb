import { describe, expect, it } from 'vitest'
import { type Putter, type SlotHolder, Slots } from '../src/queue/slots.js'

/** The slots of a queue that is full. */
function make(maxsize: number) {
  const sizes = { size: maxsize, sizeAtMost: maxsize }
  const take = (count: number) => {
    sizes.size -= count
    sizes.sizeAtMost -= count
  }
  return { slots: new Slots(maxsize, sizes), take }
}

function putter(grant: () => void): Putter {
  return { grant, refuse() {} }
}

describe('the slots of a queue', () => {
  it('are granted ahead only while nobody else waits', () => {
    const { slots, take } = make(10)
    const [first, second]: SlotHolder[] = [
      { reserved: 0, ahead: 8 },
      { reserved: 0, ahead: 8 },
    ]
    const more: number[] = []
    for (const holder of [first, second] as SlotHolder[]) {
      slots.waiting.push(putter(() => void more.push(slots.grant(holder))))
    }
    take(6)
    slots.changed()
    expect(more).toEqual([0, 2])
    expect(slots.reserved).toBe(4)
  })

  it('are granted one after the other, however many wait', () => {
    const { slots, take } = make(1)
    const holder: SlotHolder = { reserved: 0, ahead: 1 }
    let granted = 0
    for (let i = 0; i < 50_000; i++) {
      const waiting = putter(() => {
        granted++
        // The item is put, and taken, in the call.
        slots.grant(holder)
        slots.release(holder, 1)
        slots.changed()
      })
      slots.waiting.push(waiting)
    }
    take(1)
    slots.changed()
    expect(granted).toBe(50_000)
  })

  it('tell whoever asks as soon as it is known whether the queue is full', async () => {
    const { slots, take } = make(1)
    const holder: SlotHolder = { reserved: 0, ahead: 1 }
    take(1)
    slots.grant(holder)
    let known = false
    const settled = slots.settled()?.then(() => {
      known = true
    })
    slots.release(holder, 1)
    slots.changed()
    // Microtasks only: no timer can have fired.
    for (let i = 0; i < 5; i++) await Promise.resolve()
    expect(known).toBe(true)
    await settled
  })
})
