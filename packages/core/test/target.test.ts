import { execFile } from 'node:child_process'
import { cp, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTarget } from '../src/process/describe-target.js'
import { loadTarget } from '../src/process/load-target.js'
import type { TargetReference } from '../src/process/target.js'

// vitest wraps each module in a function, also those that it imports by URL. So what V8 says of real modules is asked in
// processes of their own, which import a build of the sources.
interface Report {
  described: Record<string, { reference: TargetReference; same: boolean }>
  refusals: Record<string, { code?: string; message?: string; expected?: string; reference?: TargetReference }>
  byChild: Record<string, TargetReference>
  running: Record<string, TargetReference | { code: string }>
  clean: boolean
}

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'mp-target-')))
const targetUrl = pathToFileURL(join(scratch, 'target.js')).href
const fixtures = fileURLToPath(new URL('target-fixtures/', import.meta.url))
const oddFixtures = join(scratch, process.platform === 'win32' ? 'sp ace é %41 #x' : 'sp ace é %41 #x ?q')

const results = {
  plain: 'plain captured',
  arrow: 'arrow',
  asynchronous: 'asynchronous',
  generator: 'generator',
  asyncGenerator: 'asyncGenerator',
  renamed: 'inner',
  left: 'right',
  right: 'left',
  default: 'named',
  firstClosure: 'first',
  secondClosure: 'second',
  expression: 'function',
  aliased: 'alias',
  twin: 'twin',
  other: 'other',
}
const nativeResults = {
  ...results,
  defaultFunction: 'anonymous function',
  defaultArrow: 'anonymous arrow',
  query: 'other',
  commonDeclared: 'work',
  commonProperty: 'property',
  commonArrow: 'arrow',
  commonComputed: 'computed',
  commonWhole: 'whole',
  commonDefault: 'default of a compiled module',
}

beforeAll(async () => {
  const entry = join(scratch, 'target.ts')
  const source = fileURLToPath(new URL('../src/process/', import.meta.url))
  await writeFile(
    entry,
    `export { describeTarget } from ${JSON.stringify(join(source, 'describe-target.ts'))}
    export { loadTarget } from ${JSON.stringify(join(source, 'load-target.ts'))}`,
  )
  await build({ entry: [entry], outDir: scratch, format: 'esm', target: 'node20', config: false, silent: true })
  await writeFile(join(scratch, 'package.json'), '{ "type": "module" }')
  await cp(fixtures, oddFixtures, { recursive: true })
})

afterAll(() => rm(scratch, { recursive: true, force: true }))

async function run(args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 })
  return stdout
}

async function report(directory: string, options: string[] = [], where = 'process'): Promise<Report> {
  return JSON.parse(await run([...options, join(directory, 'describe.mjs'), targetUrl, where]))
}

async function load(references: Record<string, unknown>, options: string[] = []): Promise<Record<string, unknown>> {
  return JSON.parse(await run([...options, join(fixtures, 'load.mjs'), targetUrl, JSON.stringify(references)]))
}

describe.each([
  ['in a process', fixtures, [], 'process'],
  ['in a thread', fixtures, [], 'thread'],
  ['under a debugger', fixtures, ['--inspect=0'], 'process'],
  ['from a directory with odd characters', oddFixtures, [], 'process'],
  ['with frozen intrinsics', fixtures, ['--frozen-intrinsics', '--no-warnings'], 'process'],
])('%s', (_, directory, options, where) => {
  test('exported functions arrive, others are refused', { timeout: 30_000 }, async () => {
    const { described, refusals, byChild, running, clean } = await report(directory, options, where)
    expect(clean).toBe(true)

    const references = Object.fromEntries(Object.entries(described).map(([label, { reference }]) => [label, reference]))
    for (const [label, { same }] of Object.entries(described)) expect({ label, same }).toEqual({ label, same: true })
    expect(await load(references)).toMatchObject(nativeResults)
    expect(references.query?.module).toBe(new URL('other.mjs?v=2', pathToFileURL(`${directory}/`)).href)
    expect(references.other?.module).toBe(new URL('other.mjs', pathToFileURL(`${directory}/`)).href)

    for (const [label, { expected, ...refusal }] of Object.entries(refusals)) {
      expect({ label, ...refusal }).toMatchObject({ label, code: 'MP_BAD_TARGET' })
      expect({ label, ...refusal }).toMatchObject({ label, message: expect.stringContaining(String(expected)) })
    }
    for (const [label, result] of Object.entries(await load(byChild))) {
      expect({ label, result }).toEqual({
        label,
        result: expect.stringContaining('MP_BAD_TARGET: The target function'),
      })
    }

    const { closure, ...whileRunning } = running
    expect(closure).toEqual({ code: 'MP_BAD_TARGET' })
    expect(await load(whileRunning)).toEqual({ work: 'running', local: expect.stringContaining('MP_BAD_TARGET') })
  })
})

test.each(['process', 'thread'])('a program whose main part is still running, to a %s', async how => {
  expect(await run([join(fixtures, 'program.mjs'), targetUrl, how])).toBe('{"work":"worked"}\n')
})

test.each([
  ['REPL', ['-i']],
  ['[stdin]', ['-']],
  ['[eval1]', ['--input-type=module', '-']],
])('a function of a %s has no module', async (name, options) => {
  const code = `import('${targetUrl}').then(target => target.describeTarget(f)).catch(e => console.log(e.code, e.message))`
  const running = promisify(execFile)(process.execPath, options, { timeout: 20_000 })
  running.child.stdin?.end(`function f() {}\n${options.includes('-i') ? 'await ' : ''}${code}\n`)
  const { stdout } = await running
  expect(stdout).toContain("MP_BAD_TARGET The function 'f' cannot be a target")
  expect(stdout).toContain(name)
})

test('under --permission a function needs to be named', async () => {
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
  const code = `import { describeTarget, loadTarget } from '${targetUrl}'
    import { plain } from '${pathToFileURL(fixtures).href}exports.mjs'
    try { describeTarget(plain) } catch ({ code, message }) { console.log(code, message) }
    const reference = describeTarget({ module: '${pathToFileURL(fixtures).href}other.mjs', export: 'other' })
    console.log((await loadTarget(reference))())`
  const file = join(scratch, 'permission.mjs')
  await writeFile(file, code)
  const stdout = await run(['--no-warnings', permission, '--allow-fs-read=*', file])
  expect(stdout).toContain('MP_NOT_SUPPORTED')
  expect(stdout).toContain('pass { module: new URL(')
  expect(stdout).toMatch(/\nother\n$/)
})

describe('functions of transformed modules', () => {
  type Functions = Record<string, (...args: never[]) => unknown>
  interface Fixture {
    refused: Record<string, [(...args: never[]) => unknown, string]>
    refusedByChild: Functions
    exported: Functions
  }

  async function importFixture(): Promise<Fixture> {
    const namespace = await import(new URL('target-fixtures/exports.mjs', import.meta.url).href)
    const { refused, refusedByChild, touch: _touch, Exported: _Exported, ...exported } = namespace
    return { refused, refusedByChild, exported }
  }

  test('arrive, though their positions differ', async () => {
    const { exported } = await importFixture()
    const references = Object.fromEntries(Object.entries(exported).map(([label, fn]) => [label, describeTarget(fn)]))
    // Only a position tells an `export { f as g }` from another function called f.
    const refusal = expect.stringContaining('MP_BAD_TARGET')
    const renamed = { renamed: refusal, left: refusal, right: refusal, aliased: refusal }
    expect(await load(references)).toEqual({ ...results, ...renamed })
  })

  test('are never taken for another', async () => {
    const { refused, refusedByChild } = await importFixture()
    const loading: Record<string, TargetReference> = {}
    for (const [label, [fn]] of Object.entries(refused)) {
      try {
        loading[label] = describeTarget(fn)
      } catch (error) {
        expect(error).toMatchObject({ code: 'MP_BAD_TARGET' })
      }
    }
    for (const [label, fn] of Object.entries(refusedByChild)) loading[label] = describeTarget(fn)
    for (const [label, result] of Object.entries(await load(loading))) {
      expect({ label, result }).toEqual({ label, result: expect.stringContaining('MP_BAD_TARGET') })
    }
  })
})

describe('targets by name', () => {
  const other = new URL('target-fixtures/other.mjs', import.meta.url)

  test('take exactly that export', async () => {
    for (const module of [other, other.href]) {
      const reference = describeTarget({ module, export: 'other' })
      expect(reference).toEqual({ module: other.href, name: 'other', explicit: true })
      expect((await loadTarget(reference))()).toBe('other')
    }
    const isolated = new URL('target-fixtures/common.cjs', import.meta.url)
    expect(await load({ computed: describeTarget({ module: isolated, export: 'computed' }) })).toEqual({
      computed: 'computed',
    })
  })

  test('in packages and built-in modules', async () => {
    expect(describeTarget({ module: 'node:path', export: 'basename' }).module).toBe('node:path')
    expect(describeTarget({ module: 'no-such-package-here', export: 'f' }).module).toBe('no-such-package-here')
    const folder = join(scratch, 'node_modules', 'dependency')
    await cp(join(fixtures, 'other.mjs'), join(folder, 'index.mjs'))
    await writeFile(join(folder, 'package.json'), '{ "name": "dependency", "exports": "./index.mjs" }')
    const program = join(scratch, 'package.mjs')
    await writeFile(
      program,
      `import { describeTarget } from '${targetUrl}'
       console.log(describeTarget({ module: 'dependency', export: 'other' }).module)`,
    )
    expect(await run([program])).toBe(`${pathToFileURL(join(folder, 'index.mjs')).href}\n`)
  })

  test.each([
    [{ module: './x.js', export: 'f' }, "new URL('./x.js', import.meta.url)"],
    [{ module: '../x.js', export: 'f' }, "new URL('../x.js', import.meta.url)"],
    [{ module: '/x.js', export: 'f' }, 'pathToFileURL'],
    [{ module: 'C:\\x.js', export: 'f' }, 'pathToFileURL'],
    [{ module: 'data:text/javascript,export const f = 1', export: 'f' }, 'data:'],
    [{ module: other }, '{ module, export } with'],
    [{ module: other, export: '' }, '{ module, export } with'],
    [{ export: 'f' }, '{ module, export } with'],
    ['other', 'not a string'],
    [null, 'not null'],
    [undefined, 'not undefined'],
  ])('%o is a TypeError', (target, message) => {
    expect(() => describeTarget(target as never)).toThrow(TypeError)
    expect(() => describeTarget(target as never)).toThrow(message)
  })
})

describe('what cannot be loaded', () => {
  const byName = (name: string, file: string) => ({
    module: pathToFileURL(join(scratch, file)).href,
    name,
    explicit: true,
  })

  test.each([
    ['missing.mjs', undefined, 'Cannot find module'],
    ['syntax.mjs', 'export function {', 'Unexpected token'],
    ['throwing.mjs', "throw new Error('the module throws')", 'the module throws'],
    ['throws-null.mjs', 'throw null', 'null'],
    ['unknown.xyz', 'export {}', 'Unknown file extension ".xyz"'],
  ])('%s is refused with its cause', async (file, text, message) => {
    if (text) await writeFile(join(scratch, file), text)
    const program = join(scratch, 'cause.mjs')
    await writeFile(
      program,
      `import { loadTarget } from '${targetUrl}'
       const error = await loadTarget(JSON.parse(process.argv[2])).catch(error => error)
       console.log(error.code, error.message, Object.hasOwn(error, 'cause'))`,
    )
    const stdout = await run([program, JSON.stringify(byName('f', file))])
    expect(stdout).toContain(`MP_BAD_TARGET The target's module ${byName('f', file).module} cannot be imported: `)
    expect(stdout).toContain(message)
    expect(stdout).toMatch(/true\n$/)
  })

  test('no such export, or no function', async () => {
    await writeFile(join(scratch, 'values.mjs'), 'export const value = 1')
    const { missing, value } = await load({ missing: byName('f', 'values.mjs'), value: byName('value', 'values.mjs') })
    expect(missing).toContain("MP_BAD_TARGET: The target's module")
    expect(missing).toContain("has no export 'f'")
    expect(value).toContain("exports 'value' as a number, where a function is needed")
  })

  test('a data: URL', async () => {
    const reference = { module: 'data:text/javascript,export const f = () => 1', name: 'f', explicit: true }
    await expect(loadTarget(reference)).rejects.toMatchObject({ code: 'MP_BAD_TARGET' })
  })
})
