import assert from 'node:assert/strict'
import { createContext } from '@mp/core'
import type { Transport } from '@mp/core/spi'
import { group } from '../case.js'
import { within } from '../harness.js'
import * as targets from '../targets.js'
import * as processTargets from '../targets-process.js'

export const contexts = group('Contexts', {
  'X1 the package exports the whole vocabulary, and a second context of the transport works beside it': async t => {
    const second = createContext(t.transport)
    for (const name of Object.keys(second)) assert.ok(name in t.api, `the package does not export ${name}`)
    assert.equal(second.isMainProcess, t.api.isMainProcess)
    const queue = new second.Queue<string>()
    assert.ok(queue instanceof t.api.Queue)
    await t.ends(await t.start(targets.putAll<string>, [queue, ['from a child of the first']]))
    assert.equal(await within(queue.get(), 'get'), 'from a child of the first')
    const [orders, theirs] = t.pipe()
    const child = new second.Process({ target: targets.obey, args: [theirs as never] })
    await within(child.start(), 'start')
    assert.deepEqual(t.api.activeChildren(), [child])
    await orders.send('end')
    await t.ends(child)
  },

  'X3 a process of one context leaves the others as they are': async t => {
    const spawned: string[] = []
    const counting: Transport = {
      ...t.transport,
      spawn(options) {
        spawned.push(options.name)
        return t.transport.spawn(options)
      },
    }
    const other = createContext(counting)
    assert.equal(await within(other.Process.run(targets.give, 1), 'run'), 1)
    assert.equal(spawned.length, 1)
    assert.equal(await t.run(targets.give, 2), 2)
    assert.ok(!(new other.Queue() instanceof t.api.Queue))
    // A child has what its own module imports.
    const all = await t.run(processTargets.nest, t.module, 1)
    assert.equal(all.length, 2)
    assert.equal(spawned.length, 1)
  },
})
