import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { group, needs } from '../case.js'
import { eventually, rejects, throws, within } from '../harness.js'
import * as targets from '../targets.js'
import * as processTargets from '../targets-process.js'

function unexported(): void {}

export const start = group('Process: start', {
  'P9 after start() it has a pid, is alive, has no exit code, and is an active child': async t => {
    const [orders, theirs] = t.pipe()
    const process = await t.start(targets.obey, [theirs as never])
    assert.equal(typeof process.pid, 'number')
    assert.equal(process.isAlive(), true)
    assert.equal(process.exitCode, null)
    assert.deepEqual(t.api.activeChildren(), [process])
    assert.ok(process instanceof t.api.Process)
    await orders.send('end')
    assert.equal(await within(process.result(), 'result'), 'end')
    await t.ends(process)
  },

  'P10 start() again rejects with MP_INVALID_STATE, running or ended': async t => {
    const [orders, theirs] = t.pipe()
    const process = t.process(targets.obey, [theirs as never])
    const started = process.start()
    await rejects(process.start(), 'MP_INVALID_STATE')
    await within(started, 'start')
    await rejects(process.start(), 'MP_INVALID_STATE')
    assert.equal(process.isAlive(), true)
    await orders.close()
    await t.ends(process)
    await rejects(process.start(), 'MP_INVALID_STATE')
    assert.equal(process.exitCode, 0)
  },

  'P11 an argument that cannot travel fails the start, leaves nothing, and start() may be called again': async t => {
    const argument: { list: unknown[] } = { list: [1, () => {}] }
    const process = t.process(targets.give, [argument])
    await rejects(process.start(), 'MP_ENCODE')
    assert.equal(process.pid, null)
    assert.equal(process.isAlive(), false)
    assert.equal(process.exitCode, null)
    assert.deepEqual(t.api.activeChildren(), [])
    await rejects(process.join(), 'MP_ENCODE')
    await rejects(process.result(), 'MP_ENCODE')
    argument.list.pop()
    await within(process.start(), 'the second start')
    assert.deepEqual(await within(process.result(), 'result'), { list: [1] })
    await t.ends(process)
  },

  'P11 a target that no other context can import fails the start with MP_BAD_TARGET, leaving nothing': async t => {
    const { Process } = t.api
    for (const target of [targets.nothing.bind(null), Math.abs, class {} as never]) {
      const process = new Process({ target: target as () => void })
      await rejects(process.start(), 'MP_BAD_TARGET')
      assert.equal(process.pid, null)
      assert.deepEqual(t.api.activeChildren(), [])
    }
    for (const target of [5, 'nothing', {}, null, { module: './targets.js', export: 'nothing' }]) {
      await rejects(new Process({ target: target as never }).start(), TypeError)
    }
    assert.deepEqual(t.api.activeChildren(), [])
  },

  'P11 a function that its module does not export fails the start with MP_BAD_TARGET, leaving nothing': needs(
    'isolation',
    async t => {
      const local = () => {}
      const method = { run() {} }
      for (const target of [local, method.run, unexported]) {
        const process = t.process(target, [])
        await rejects(process.start(), 'MP_BAD_TARGET')
        assert.equal(process.pid, null)
        await eventually(() => t.api.activeChildren().length === 0, 'the end of the child')
      }
    },
  ),

  'P11 a named target that is not there fails the start, and nothing is left': async t => {
    const module = new URL('../targets.js', import.meta.url)
    const missing = [
      { module, export: 'missing' },
      { module, export: 'STRAY' },
      { module: new URL('missing.js', module), export: 'nothing' },
    ]
    for (const target of missing) {
      const process = new t.api.Process({ target })
      await rejects(process.start(), 'MP_BAD_TARGET')
      await rejects(process.join(), 'MP_BAD_TARGET')
      await rejects(process.result(), 'MP_BAD_TARGET')
      assert.equal(process.pid, null)
      assert.equal(process.isAlive(), false)
      await eventually(() => t.api.activeChildren().length === 0, 'the end of the child')
    }
    assert.equal(await within(t.api.Process.run({ module, export: 'give' }, 5), 'run'), 5)
  },

  'P11 a start that is not awaited never becomes an unhandled rejection; it warns if nobody looks': async t => {
    const looked = t.process(targets.give, [() => {}])
    void looked.start()
    await rejects(looked.join(), 'MP_ENCODE')
    const dropped = t.process(targets.give, [() => {}])
    void dropped.start()
    await eventually(() => t.warnings.length > 0, 'a warning')
    assert.equal((t.warnings.pop() as { code?: string }).code, 'MP_ENCODE')
    assert.deepEqual(t.warnings, [])
  },

  'P12 without a target it ends with exit code 0': async t => {
    const process = new t.api.Process()
    await within(process.start(), 'start')
    await t.ends(process)
    assert.equal(await within(process.result(), 'result'), undefined)
  },

  "P13 neither side sees the other's changes to an argument": async t => {
    const [orders, theirs] = t.pipe()
    const object = { list: [1] }
    const process = t.process(processTargets.change, [object, theirs as never])
    const started = process.start()
    object.list.push(2)
    await within(started, 'start')
    assert.equal(await within(orders.recv(), 'the word'), 'changed')
    assert.deepEqual(object.list, [1, 2])
    object.list.push(3)
    await orders.send('end')
    assert.deepEqual(await within(process.result(), 'result'), [1, 2])
    await t.ends(process)
    const kept = { list: [1] }
    const late = t.process(targets.give, [kept])
    kept.list.push(2)
    void late.start()
    assert.deepEqual(await within(late.result(), 'result'), { list: [1, 2] }, 'arguments are taken at the start')
    await t.ends(late)
  },

  "P14 the child's currentProcess() is the Process": async t => {
    const process = t.process(processTargets.whoAmI, [t.module], { name: 'a name', daemon: true })
    await within(process.start(), 'start')
    const { pid } = process
    const { name, pid: own, daemon, exitCode, isAlive, children } = await within(process.result(), 'result')
    assert.deepEqual(
      { name, own, daemon, exitCode, isAlive, children },
      { name: 'a name', own: pid, daemon: true, exitCode: null, isAlive: true, children: 0 },
    )
    await t.ends(process)
    const main = t.api.currentProcess()
    assert.equal(main.name, 'MainProcess')
    assert.equal(main.pid, globalThis.process.pid)
    assert.equal(main.exitCode, null)
    assert.equal(main.daemon, false)
  },

  'P15 parentProcess() is null in the main program, and the creator in a child': async t => {
    assert.equal(t.api.parentProcess(), null)
    assert.equal(t.api.isMainProcess, true)
    const { name, pid } = t.api.currentProcess()
    const [child, grandchild] = (await t.run(processTargets.nest, t.module, 1)) as Awaited<
      ReturnType<typeof processTargets.whoAmI>
    >[]
    assert.deepEqual(child?.parent, { name, pid, isAlive: true })
    assert.deepEqual(grandchild?.parent, { name: child?.name, pid: child?.pid, isAlive: true })
  },

  'P15 isMainProcess is false in a child of its own thread or process': needs('isolation', async t => {
    assert.equal((await t.run(processTargets.whoAmI, t.module)).isMainProcess, false)
  }),

  'P16 a creator that is killed is told to its children': needs('crash', async t => {
    const path = t.file('watcher')
    const looks = () => (existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [])
    const [orders, theirs] = t.pipe()
    const process = await t.start(processTargets.startWatcher, [t.module, path, theirs as never])
    assert.equal(await within(orders.recv(), 'the word'), 'running')
    await eventually(() => looks().length === 1, 'the first look')
    process.kill()
    await eventually(() => looks().length === 2, 'the second look')
    assert.deepEqual(looks(), ['[true,false]', '[false,true]'])
    await t.ends(process, -9)
  }),

  'P19 an end of a pipe works in the child although the parent closes its own at once': async t => {
    const [mine, theirs] = t.pipe()
    const process = t.process(targets.echo, [theirs])
    const started = process.start()
    await theirs.close()
    await within(started, 'start')
    await mine.send('there')
    assert.equal(await within(mine.recv(), 'the echo'), 'there')
    await mine.close()
    await t.ends(process)
  },

  'P21 children and grandchildren run with the environment, directory and flags of the parent': needs(
    'isolation',
    async t => {
      const name = 'MP_CONFORMANCE_VARIABLE'
      process.env[name] = 'inherited'
      try {
        const { child, grandchild } = await t.run(processTargets.environmentOfChild, t.module, name)
        const { execArgv } = process
        assert.deepEqual(child, { value: 'inherited', cwd: process.cwd(), execArgv })
        assert.deepEqual(grandchild, child)
      } finally {
        delete process.env[name]
      }
    },
  ),

  'P21 env and execArgv of a Process hold for its child, beside what is inherited': needs('isolation', async t => {
    const options = { env: { MP_CONFORMANCE_VARIABLE: 'given' }, execArgv: ['--no-deprecation'] }
    const child = await t.start(processTargets.environment, ['MP_CONFORMANCE_VARIABLE'], options)
    const { value, execArgv } = await within(child.result(), 'result')
    assert.equal(value, 'given')
    assert.deepEqual(execArgv, ['--no-deprecation'])
    await t.ends(child)
    const path = await t.start(processTargets.environment, ['PATH'], options)
    assert.equal((await within(path.result(), 'result')).value, process.env.PATH)
    await t.ends(path)
    assert.equal(process.env.MP_CONFORMANCE_VARIABLE, undefined)
  }),

  "P21 cwd of a Process holds for its child, or is refused where children share their creator's": async t => {
    const folder = t.folder()
    const child = t.process(processTargets.environment, [''], { cwd: folder })
    if (t.capabilities.isolation === 'process') {
      await within(child.start(), 'start')
      assert.equal((await within(child.result(), 'result')).cwd, folder)
      await t.ends(child)
    } else {
      await rejects(child.start(), 'MP_NOT_SUPPORTED')
      assert.equal(child.pid, null)
    }
  },

  'P21 a child that needs more memory than its resourceLimits ends of it, and nobody else does': needs(
    'isolation',
    async t => {
      const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 }
      const child = await t.start(processTargets.hoard, [], { resourceLimits, stdio: 'ignore' })
      await rejects(child.result(), 'MP_WORKER_LOST')
      assert.equal(await within(child.join(), 'join'), t.capabilities.isolation === 'process' ? -6 : 1)
      const modest = await t.start(targets.give, ['enough'], { resourceLimits })
      assert.equal(await within(modest.result(), 'result'), 'enough')
      await t.ends(modest)
    },
  ),

  'options of the wrong type are refused at once': async t => {
    const make = (options: object) => () => new t.api.Process(options)
    for (const options of [
      { stdio: 'pip' },
      { stdio: ['pipe'] },
      { cwd: 7 },
      { env: { A: 1 } },
      { execArgv: '--no-warnings' },
      { resourceLimits: 64 },
      { resourceLimits: { maxOldGenerationSize: 64 } },
      { resourceLimits: { maxOldGenerationSizeMb: '64' } },
    ])
      throws(make(options), TypeError)
    throws(make({ resourceLimits: { stackSizeMb: 0 } }), RangeError)
  },

  'what a child prints is inherited, ignored, or written line by line behind its name, to the last word': needs(
    'isolation',
    async t => {
      const { code, stdout, stderr } = await t.program('output')
      assert.equal(stderr, '[piped] a warning\n')
      const lines = stdout.split('\n')
      assert.deepEqual(lines.slice(0, 2), ['inherited 1', 'inherited 2'])
      const piped = Array.from({ length: 5_000 }, (_, i) => `[piped] line ${i}`)
      assert.deepEqual(lines.slice(2), [...piped, '[piped] in ünïcode', '[piped] no newline', ''])
      assert.equal(code, 0)
    },
  ),

  'P22 the stdin of a child is at its end': needs('isolation', async t => {
    assert.equal(await t.run(processTargets.readStdin), 0)
  }),

  'P23 a main module without a guard gives a clear error and no storm of processes': needs('isolation', async t => {
    // Also where the module itself catches the refusal.
    for (const how of ['', 'caught']) {
      const { code, stdout, stderr } = await t.program('unguarded', { MP_CONFORMANCE_HOW: how })
      assert.equal(stdout, 'main\nchild module\nMP_BAD_TARGET\n')
      assert.equal(code, 0)
      assert.equal(stderr, '')
    }
  }),

  'P23 a program of one file waits, at its top level, for the process that runs a function of the same file':
    async t => {
      const { code, stdout, stderr } = await t.program('one-file')
      assert.equal(stderr, '')
      assert.equal(stdout, '0,1,4,9,16\n')
      assert.equal(code, 0)
    },

  'P24 children of children, daemons included, are allowed, and are daemons where their creator is': async t => {
    const process = t.process(processTargets.nest, [t.module, 2], { daemon: true })
    void process.start()
    const all = (await within(process.result(), 'result')) as { daemon: boolean; name: string; childCode?: number }[]
    assert.deepEqual(
      all.map(each => [each.name, each.daemon, each.childCode]),
      [
        [process.name, true, 0],
        [`${process.name}:1`, true, 0],
        [`${process.name}:1:1`, true, undefined],
      ],
    )
    await t.ends(process)
  },

  'an aborted signal terminates the child, and result() rejects with its reason': async t => {
    const reason = new Error('enough')
    const abort = new AbortController()
    const [, theirs] = t.pipe()
    const process = await t.start(targets.obey, [theirs as never], { signal: abort.signal })
    const result = process.result()
    abort.abort(reason)
    await rejects(result, { reason })
    await t.ends(process, -15)
    const late = t.process(targets.nothing, [], { signal: abort.signal })
    await rejects(late.start(), { reason })
    assert.equal(late.pid, null)
  },

  'run() starts a process, waits, and gives what the target returned or threw': async t => {
    assert.equal(await t.run(targets.give, 42), 42)
    const error = await rejects(t.run(targets.fail, 'refused'), RangeError)
    assert.equal(error.message, 'refused')
    await rejects(
      t.run(targets.give, () => {}),
      'MP_ENCODE',
    )
    assert.deepEqual(t.api.activeChildren(), [])
  },

  'many processes start and end side by side': async t => {
    const all = Array.from({ length: 12 }, (_, index) => t.run(targets.give, index))
    assert.deepEqual(
      await Promise.all(all),
      Array.from({ length: 12 }, (_, index) => index),
    )
  },
})
