import { describe, it } from 'vitest'
import { inheritedFlags, inheritedOptions } from '../src/process/inheritance.js'

describe('the flags of the parent', () => {
  for (const [name, own, script, expected] of [
    ['are passed on', ['--import', 'tsx', '--expose-gc'], undefined, ['--import', 'tsx', '--expose-gc']],
    ['lose a script', ['--expose-gc', '-e', 'code'], 'code', ['--expose-gc']],
    ['lose a script and its type', ['--input-type=module', '--eval=code'], 'code', []],
    ['lose the type of a script in a word of its own', ['--input-type', 'module', '-e', 'code'], 'code', []],
    [
      'keep what only looks like it',
      ['--conditions', 'test', '-r', './x.cjs'],
      'code',
      ['--conditions', 'test', '-r', './x.cjs'],
    ],
    [
      'lose what a test runner or a watcher is for',
      ['--test', '--watch', '--no-warnings'],
      undefined,
      ['--no-warnings'],
    ],
    ['lose the port of a debugger', ['--inspect'], undefined, ['--inspect=0']],
    ['keep the host of a debugger', ['--inspect=0.0.0.0:9230'], undefined, ['--inspect=0.0.0.0:0']],
    ['do not wait for a debugger', ['--inspect-brk=9230', '--inspect-port=9231'], undefined, ['--inspect=0']],
    ['lose a port of its own word', ['--inspect-port', '9231', '--expose-gc'], undefined, ['--expose-gc']],
  ] as const) {
    it(name, ({ expect }) => {
      expect(inheritedFlags(own, script)).toEqual(expected)
    })
  }
})

describe('the NODE_OPTIONS of the parent', () => {
  for (const [name, own, expected] of [
    ['stay as they are', '  --no-warnings   --import "./a b.mjs"', '  --no-warnings   --import "./a b.mjs"'],
    ['do not wait for a debugger', '--inspect-brk=9230 --no-warnings', '--inspect=0 --no-warnings'],
    ['lose the type of a script', '--no-warnings --input-type=module', '--no-warnings'],
    ['lose a value in a word of its own', '--input-type module --inspect-port 9231', ''],
    ['keep their quotes', '--inspect --import "./a \\"b\\".mjs"', '--inspect=0 --import "./a \\"b\\".mjs"'],
  ] as const) {
    it(name, ({ expect }) => {
      expect(inheritedOptions(own)).toBe(expected)
    })
  }
})
