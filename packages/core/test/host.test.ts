import { describe, expect, it, onTestFinished } from 'vitest'
import { describeTarget } from '../src/process/describe-target.js'
import { foreignHost } from '../src/runtime/host.js'

describe('the host', () => {
  it('is Bun or Deno where they say so', () => {
    expect(foreignHost({ bun: '1.4.5' })).toBe('Bun')
    expect(foreignHost({}, { Deno: {} })).toBe('Deno')
    expect(foreignHost()).toBe(undefined)
  })

  it('that does not tell where a function comes from takes targets by name', () => {
    Object.assign(globalThis, { Deno: {} })
    onTestFinished(() => {
      Reflect.deleteProperty(globalThis, 'Deno')
    })
    let error: unknown
    try {
      describeTarget(() => {})
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'MP_NOT_SUPPORTED', message: expect.stringContaining('{ module: new URL') })
    const module = new URL('./target-fixtures/any.mjs', import.meta.url)
    expect(describeTarget({ module, export: 'any' })).toMatchObject({ module: module.href, name: 'any' })
  })
})
