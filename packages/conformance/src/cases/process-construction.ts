import assert from 'node:assert/strict'
import { group } from '../case.js'
import { throws, within } from '../harness.js'
import * as targets from '../targets.js'
import * as processTargets from '../targets-process.js'

export const processConstruction = group('Process: construction', {
  'P1 a process without a name is Process-<n>, counted per creator; its own children are Process-<n>:<m>': async t => {
    const { Process } = t.api
    const [first, second] = [new Process().name, new Process().name]
    const number = Number(/^Process-(\d+)$/.exec(first)?.[1])
    assert.equal(second, `Process-${number + 1}`)
    const child = t.process(processTargets.namesOfOwnProcesses, [t.module])
    void child.start()
    assert.deepEqual(await within(child.result(), 'result'), [`${child.name}:1`, `${child.name}:2`])
    await t.ends(child)
    assert.equal(new Process({ name: 'mine' }).name, 'mine')
  },

  'P2 a name that is set reads back; what is not a string is refused': async t => {
    const process = new t.api.Process()
    process.name = 'ready to go'
    assert.equal(process.name, 'ready to go')
    throws(() => {
      process.name = 5 as never
    }, TypeError)
    throws(() => new t.api.Process({ name: 5 as never }), TypeError)
    assert.equal(process.name, 'ready to go')
  },

  'P5 arguments of the wrong kind are refused at construction': async t => {
    const { Process } = t.api
    throws(() => new Process({ target: targets.nothing, args: 5 as never }), TypeError)
    throws(() => new Process({ target: targets.nothing, args: { length: 1 } as never }), TypeError)
    throws(() => new Process(5 as never), TypeError)
    throws(() => new Process({ daemon: 1 as never }), TypeError)
    throws(() => new Process({ signal: {} as never }), TypeError)
  },

  "P7 daemon is the creator's flag unless it is set, before the start": async t => {
    const { Process } = t.api
    assert.equal(new Process().daemon, t.api.currentProcess().daemon)
    assert.equal(new Process({ daemon: false }).daemon, false)
    const process = t.process(processTargets.daemonFlags, [t.module], { daemon: true })
    assert.equal(process.daemon, true)
    void process.start()
    throws(() => {
      process.daemon = false
    }, 'MP_INVALID_STATE')
    assert.deepEqual(await within(process.result(), 'result'), { own: true, inherited: true, overridden: false })
    await t.ends(process)
    throws(() => {
      process.daemon = false
    }, 'MP_INVALID_STATE')
    assert.equal(process.daemon, true)
    assert.deepEqual(await t.run(processTargets.daemonFlags, t.module), {
      own: false,
      inherited: false,
      overridden: false,
    })
  },

  'P8 before the start it is not alive, has no pid and no exit code, and is not among the active children': async t => {
    const process = t.process(targets.nothing, [])
    assert.equal(process.isAlive(), false)
    assert.equal(process.exitCode, null)
    assert.equal(process.pid, null)
    assert.deepEqual(t.api.activeChildren(), [])
    throws(() => process.exited, 'MP_INVALID_STATE')
  },
})
