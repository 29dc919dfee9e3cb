import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { group, needs } from '../case.js'
import { eventually, rejects, throws, within } from '../harness.js'
import { patiently } from '../patience.js'
import * as targets from '../targets.js'
import * as processTargets from '../targets-process.js'

export const terminateClose = group('Process: terminate, close, end of the parent', {
  'P49 terminate() and kill() do not wait; repeated, or after the end, they do nothing': async t => {
    for (const [how, code] of [
      ['terminate', -15],
      ['kill', -9],
    ] as const) {
      const [, theirs] = t.pipe()
      const process = await t.start(targets.obey, [theirs as never])
      assert.equal(process[how](), undefined)
      process[how]()
      await t.ends(process, code)
      process.terminate()
      process.kill()
      assert.equal(process.exitCode, code)
    }
    const ended = await t.start(targets.nothing, [])
    await t.ends(ended)
    ended.kill()
    assert.equal(await within(ended.join(), 'join'), 0)
  },

  'P49 a child that is terminated before its start has finished still settles everything': async t => {
    const [, theirs] = t.pipe()
    const process = t.process(targets.obey, [theirs as never])
    const started = process.start()
    process.terminate()
    const outcome = await within(
      started.then(
        () => 'started',
        error => error.code,
      ),
      'start',
    )
    assert.ok(['started', 'MP_SPAWN_FAILED'].includes(outcome), outcome)
    await eventually(() => t.api.activeChildren().length === 0, 'the end of the child')
  },

  'P50 terminate() and kill() before the start throw MP_INVALID_STATE': async t => {
    const process = t.process(targets.nothing, [])
    throws(() => process.terminate(), 'MP_INVALID_STATE')
    throws(() => process.kill(), 'MP_INVALID_STATE')
  },

  'P51 terminate() interrupts a busy loop and a blocked wait': needs('isolation', async t => {
    for (const target of [processTargets.spin, processTargets.block]) {
      for (const [how, code] of [
        ['terminate', -15],
        ['kill', -9],
      ] as const) {
        const [orders, theirs] = t.pipe()
        const process = await t.start(target, [theirs as never])
        assert.equal(await within(orders.recv(), 'the word'), 'running')
        process[how]()
        await t.ends(process, code)
      }
    }
  }),

  'P52 a child that is terminated runs no finally block and no exit handler': needs('isolation', async t => {
    const path = t.file('notes')
    const [orders, theirs] = t.pipe()
    const process = await t.start(processTargets.noteFinally, [path, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    process.kill()
    await t.ends(process, -9)
    assert.equal(existsSync(path), false)
  }),

  'P53 close() of a running process throws MP_INVALID_STATE and changes nothing': async t => {
    const [orders, theirs] = t.pipe()
    const process = await t.start(targets.obey, [theirs as never])
    throws(() => process.close(), 'MP_INVALID_STATE')
    assert.equal(process.isAlive(), true)
    await orders.close()
    await t.ends(process)
    process.close()
  },

  'P54 after close() everything but name, daemon and close() is MP_CLOSED': async t => {
    const process = await t.start(targets.nothing, [], { name: 'closed' })
    await t.ends(process)
    const unstarted = t.process(targets.nothing, [], { name: 'closed' })
    for (const each of [process, unstarted]) {
      each.close()
      throws(() => each.exitCode, 'MP_CLOSED')
      throws(() => each.pid, 'MP_CLOSED')
      throws(() => each.exited, 'MP_CLOSED')
      throws(() => each.isAlive(), 'MP_CLOSED')
      throws(() => each.terminate(), 'MP_CLOSED')
      throws(() => each.kill(), 'MP_CLOSED')
      await rejects(each.join(), 'MP_CLOSED')
      await rejects(each.result(), 'MP_CLOSED')
      await rejects(each.start(), 'MP_CLOSED')
      assert.equal(each.name, 'closed')
      assert.equal(each.daemon, false)
      each.close()
    }
    assert.deepEqual(t.api.activeChildren(), [])
  },

  'P54 await using terminates, waits and closes': async t => {
    const [, theirs] = t.pipe()
    let outer: InstanceType<typeof t.api.Process>
    {
      await using process = await t.start(targets.obey, [theirs as never])
      outer = process as never
      assert.equal(t.api.activeChildren().length, 1)
    }
    assert.deepEqual(t.api.activeChildren(), [])
    throws(() => outer.pid, 'MP_CLOSED')
    await using unstarted = t.process(targets.nothing, [])
    void unstarted
  },

  'P55 a program whose main part has ended waits for its children, and keeps its own exit code': needs(
    'isolation',
    async t => {
      const { code, stdout, stderr } = await t.program('end-first', { MP_CONFORMANCE_DAEMON: '' })
      assert.equal(stderr, '')
      assert.equal(stdout, 'main ends\nchild ends\n')
      assert.equal(code, 3)
    },
  ),

  'P56 a program whose main part has ended terminates its daemons, and does not wait for them': needs(
    'isolation',
    async t => {
      const { code, stdout, stderr, ms } = await t.program('end-first', { MP_CONFORMANCE_DAEMON: 'yes' })
      assert.equal(stderr, '')
      assert.equal(stdout, 'main ends\n')
      assert.equal(code, 3)
      assert.ok(ms < patiently(10_000), `${ms} ms`)
    },
  ),

  'P56 a child that ends terminates its daemons, and waits for its other children': async t => {
    const [orders, theirs] = t.pipe()
    const process = await t.start(processTargets.startGrandchild, [t.module, true, theirs as never])
    assert.equal(await within(process.result(), 'result'), true)
    await t.ends(process)
    // It may have sent its message before it was ended.
    if (await within(orders.poll(null), 'the end')) await orders.recv().catch(() => {})
    await rejects(orders.recv(), 'MP_EOF')

    const [others, otherEnd] = t.pipe()
    const waiting = await t.start(processTargets.startGrandchild, [t.module, false, otherEnd as never])
    assert.equal(await within(others.recv(), 'the word'), 'running')
    assert.equal(await within(waiting.join({ timeout: 100 }), 'join'), null)
    await others.send('end')
    await t.ends(waiting)
  },

  'P56 a program that has used everything once ends by itself, with nothing on stderr': async t => {
    const { code, stdout, stderr } = await t.program('everything')
    assert.equal(stderr, '')
    assert.equal(stdout, 'done\n')
    assert.equal(code, 0)
  },
})
