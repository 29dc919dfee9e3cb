import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { group, needs } from '../case.js'
import { rejects, within } from '../harness.js'
import * as targets from '../targets.js'
import * as processTargets from '../targets-process.js'
import * as queueTargets from '../targets-queue.js'

export const exitStatus = group('Process: exit status', {
  'P27 a target that returns, or whose promise fulfils, gives exit code 0': async t => {
    for (const target of [targets.nothing, targets.obey]) {
      const [orders, theirs] = t.pipe()
      const process = await t.start(target as (end: unknown) => unknown, [theirs])
      await orders.close()
      await t.ends(process)
    }
  },

  'P28 P29 a target that throws or rejects gives exit code 1, and result() rejects with the error': async t => {
    for (const target of [targets.fail, processTargets.failLater]) {
      const process = await t.start(target, ['what went wrong'])
      const error = await rejects(process.result(), RangeError)
      assert.equal(error.message, 'what went wrong')
      assert.match(String(error.stack), /targets(-process)?\.[jt]s:\d+:\d+/)
      await t.ends(process, 1)
    }
  },

  "P28 stderr shows the child's name and the stack of what it threw": needs('isolation', async t => {
    const { code, stdout, stderr } = await t.program('throwing')
    assert.equal(stdout, '1\n')
    assert.match(stderr, /^Process the-thrower:\nRangeError: thrown here\n/)
    assert.match(stderr, /at thrower .*throwing\.[jt]s:\d+:\d+/)
    assert.equal(code, 0)
  }),

  'P29 an uncaught exception or unhandled rejection in the child ends it with exit code 1': needs(
    'isolation',
    async t => {
      for (const [kind, message] of [
        ['exception', 'uncaught'],
        ['rejection', 'unhandled'],
      ] as const) {
        const process = await t.start(processTargets.failUncaught, [kind])
        const error = await rejects(process.result(), RangeError)
        assert.equal(error.message, message)
        await t.ends(process, 1)
      }
    },
  ),

  'P29 an uncaught exception that the child handles itself ends nothing': needs('isolation', async t => {
    const process = await t.start(processTargets.handleUncaught, [])
    assert.equal(await within(process.result(), 'result'), 'handled: uncaught')
    await t.ends(process)
  }),

  'P30 process.exit(n) gives exit code n; without an argument 0, or what process.exitCode was set to': needs(
    'isolation',
    async t => {
      for (const [code, before, expected] of [
        [3, undefined, 3],
        [0, undefined, 0],
        [undefined, undefined, 0],
        [undefined, 4, 4],
        [5, 4, 5],
      ] as const) {
        const process = await t.start(processTargets.exit, [code, before])
        await t.ends(process, expected)
        await rejects(process.result(), 'MP_WORKER_LOST')
      }
    },
  ),

  'P31 exit codes are taken modulo 256': needs('isolation', async t => {
    for (const [code, expected] of [
      [-1, 255],
      [256, 0],
      [300, 44],
    ] as const) {
      await t.ends(await t.start(processTargets.exit, [code]), expected)
    }
  }),

  'P32 a child that a signal ends has minus its number as exit code': needs('signals', async t => {
    await t.ends(await t.start(processTargets.killItself, ['SIGKILL']), -9)
    await t.ends(await t.start(processTargets.killItself, ['SIGTERM']), -15)
  }),

  'P33 terminate() gives exit code -15 and kill() -9': async t => {
    for (const [how, code] of [
      ['terminate', -15],
      ['kill', -9],
    ] as const) {
      const [orders, theirs] = t.pipe()
      const process = await t.start(targets.obey, [theirs as never])
      assert.equal(await within(orders.recv(), 'the word'), 'running')
      process[how]()
      await t.ends(process, code)
      await rejects(process.result(), 'MP_WORKER_LOST')
    }
  },

  'P35 a hard exit gives its code, runs no exit handler, and leaves nothing pending': needs('isolation', async t => {
    const process = await t.start(processTargets.reallyExit, [9])
    const pending = process.result()
    await t.ends(process, 9)
    await rejects(pending, 'MP_WORKER_LOST')
  }),

  'P35 process.abort() gives minus the number of its signal': needs('process', async t => {
    const process = await t.start(processTargets.abort, [])
    await t.ends(process, -6)
    await rejects(process.result(), 'MP_WORKER_LOST')
  }),

  'P36 exit handlers of the child run, once, when it returns, throws or exits': needs('isolation', async t => {
    for (const [how, code] of [
      ['return', 0],
      ['throw', 1],
      ['exit', 5],
    ] as const) {
      const path = t.file(how)
      await t.ends(await t.start(processTargets.noteExit, [path, how]), code)
      assert.equal(readFileSync(path, 'utf8'), `exit ${code}\n`)
    }
  }),

  'P38 stray timers and sockets do not hold a child whose target has settled': async t => {
    const process = await t.start(processTargets.leaveStray, [])
    assert.equal(await within(process.result(), 'result'), 'done')
    await t.ends(process)
    // A child in this thread has left its timer and its socket here.
    const realm = globalThis as { [processTargets.STRAY]?: () => void }
    realm[processTargets.STRAY]?.()
    delete realm[processTargets.STRAY]
  },

  'P38 what a child has put and not awaited is flushed before it ends': async t => {
    const queue = new t.api.Queue<number>()
    const items = Array.from({ length: 1000 }, (_, index) => index)
    await t.ends(await t.start(queueTargets.putAllAtOnce, [queue, items]))
    assert.equal(await queue.qsize(), 1000)
    for (const item of items) assert.equal(await queue.getNowait(), item)
  },

  'P38 a target that waits for what can never happen is told so, instead of ending as if it had returned': needs(
    'isolation',
    async t => {
      const process = await t.start(processTargets.waitForNothing, [])
      await rejects(process.result(), 'MP_INVALID_STATE')
      await t.ends(process, 1)
    },
  ),

  'a result that cannot travel rejects with MP_ENCODE, and the child ends in order': async t => {
    const process = await t.start(processTargets.giveUnsendable, [])
    await rejects(process.result(), 'MP_ENCODE')
    await t.ends(process)
  },
})
