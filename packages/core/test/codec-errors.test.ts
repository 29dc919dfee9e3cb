import assert from 'node:assert'
import { readFile } from 'node:fs/promises'
import { types } from 'node:util'
import { describe, expect, test } from 'vitest'
import { registerType } from '../src/codec/registered-type.js'
import { MpError } from '../src/errors.js'
import { Note, thrownBy, trip, tripError } from './codec-parcel.js'

/** What two errors must have in common, the descriptors of their own properties above all. */
function anatomy(error: Error): unknown {
  return { prototype: Object.getPrototypeOf(error), own: Object.getOwnPropertyDescriptors(error), name: error.name }
}

const classes = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]

for (const travel of [trip, tripError]) {
  describe(`through ${travel.name}`, () => {
    test.each(classes.map(type => [type.name, type] as const))('%s', (_, type) => {
      const error = new type('what', { cause: { why: new type('inner') } })
      const arrived = travel(error)
      expect(arrived).toBeInstanceOf(type)
      expect(types.isNativeError(arrived)).toBe(true)
      expect(arrived.cause.why).toBeInstanceOf(type)
      expect(arrived).toStrictEqual(error)
      expect(anatomy(Object.assign(arrived, { cause: 0 }))).toStrictEqual(anatomy(Object.assign(error, { cause: 0 })))
      expect(anatomy(travel(new type()))).toMatchObject({ name: type.name, own: { stack: { enumerable: false } } })
      expect(Object.hasOwn(travel(new type()), 'message')).toBe(false)
    })

    test('AggregateError', () => {
      const shared = new TypeError('one')
      const error = new AggregateError([shared, 'two', new RangeError('three')], 'all', { cause: shared })
      const arrived = travel(error)
      expect(arrived).toBeInstanceOf(AggregateError)
      expect(arrived.errors).toStrictEqual(error.errors)
      expect(arrived.errors[0]).toBe(arrived.cause)
      expect(Object.keys(arrived)).toStrictEqual([])
    })

    test.each(['AbortError', 'TimeoutError', 'MadeUpError'])('DOMException %s', name => {
      const error = new DOMException('gone', name)
      const arrived = travel(error)
      expect(arrived).toBeInstanceOf(DOMException)
      expect([arrived.name, arrived.message, arrived.code, arrived.stack]).toStrictEqual([
        name,
        'gone',
        error.code,
        error.stack,
      ])
    })

    test('the reason of an aborted signal', () => {
      expect(travel(AbortSignal.abort().reason)).toMatchObject({ name: 'AbortError', code: 20 })
    })

    test('MpError', () => {
      const error = new MpError('MP_FULL', 'full', { cause: new MpError('MP_EMPTY', 'empty') })
      const arrived = travel(error)
      expect(arrived).toBeInstanceOf(MpError)
      expect(arrived).toStrictEqual(error)
      expect(arrived.cause.code).toBe('MP_EMPTY')
      expect(arrived.stack).toBe(error.stack)
    })

    test('MpError of a second copy of the module', () => {
      const Twin = { MpError: class MpError extends Error {} }.MpError
      const error = Object.assign(new Twin('full'), { name: 'MpError', code: 'MP_FULL' })
      expect(travel(error)).toBeInstanceOf(MpError)
      expect(travel(error)).toMatchObject({ code: 'MP_FULL', message: 'full', stack: error.stack })
    })

    test('own properties, name and a code', () => {
      const error = Object.assign(new TypeError('what'), { code: 'E_MINE', extra: new Map([[1, -0]]), name: 'Mine' })
      const arrived = travel(error)
      expect(arrived).toStrictEqual(error)
      expect(Object.keys(arrived)).toStrictEqual(['code', 'extra', 'name'])
    })

    test('a hidden name and code stay hidden', () => {
      const error = new Error('what')
      for (const key of ['name', 'code']) Object.defineProperty(error, key, { value: 'HIDDEN', configurable: true })
      const arrived = travel(error)
      expect([arrived.name, arrived.code, Object.keys(arrived)]).toStrictEqual(['HIDDEN', 'HIDDEN', []])
    })

    test('an error of Node', async () => {
      const error = await readFile('/there/is/no/such/file').catch(error => error)
      const arrived = travel(error)
      expect(arrived).toStrictEqual(error)
      expect(arrived).toMatchObject({ code: 'ENOENT', syscall: 'open' })
      const wrong = thrownBy(() => Buffer.alloc(-1)) as Error
      expect(travel(wrong)).toBeInstanceOf(RangeError)
      expect(travel(wrong)).toMatchObject({ code: 'ERR_OUT_OF_RANGE', message: wrong.message, stack: wrong.stack })
    })

    test('a class that is not registered, as an MpError that tells its name', () => {
      class HttpError extends TypeError {
        readonly status = 404
      }
      const error = new HttpError('not found', { cause: 'a cause' })
      const arrived = travel(error)
      expect(arrived).toBeInstanceOf(MpError)
      expect(arrived).toMatchObject({ name: 'HttpError', code: 'MP_REMOTE', message: 'not found', status: 404 })
      expect([arrived.cause, arrived.stack]).toStrictEqual(['a cause', error.stack])
    })

    test('its own code and name win, wherever the class keeps them', () => {
      class Own extends Error {
        override name = 'OwnName'
        readonly code = 'E_OWN'
      }
      class Inherited extends Error {
        override get name() {
          return 'InheritedName'
        }
        get code() {
          return 'E_INHERITED'
        }
        override get message() {
          return 'inherited'
        }
      }
      expect(travel(new Own())).toMatchObject({ name: 'OwnName', code: 'E_OWN' })
      expect(travel(new Inherited())).toMatchObject({
        name: 'InheritedName',
        code: 'E_INHERITED',
        message: 'inherited',
      })
      const failed = thrownBy(() => assert.strictEqual(1, 2))
      expect(travel(failed)).toMatchObject({ name: 'AssertionError', code: 'ERR_ASSERTION', actual: 1, expected: 2 })
    })

    test('an error without a stack has none', () => {
      const error = new Error('bare')
      delete error.stack
      expect(travel(error).stack).toBeUndefined()
    })
  })
}

describe('registered errors', () => {
  class Quota extends RangeError {
    readonly left: number
    constructor(left: number) {
      super(`only ${left} left`)
      this.left = left
    }
    get isEmpty() {
      return this.left === 0
    }
  }
  class Coded extends Error {
    readonly number: number
    constructor(number: number) {
      super(`number ${number}`)
      this.number = number
    }
  }
  registerType(Quota)
  registerType(Coded, { encode: error => error.number, decode: number => new Coded(number) })

  test('arrive as themselves', () => {
    const error = new Quota(0)
    error.cause = error
    const arrived = trip(error)
    expect(arrived).toBeInstanceOf(Quota)
    expect(types.isNativeError(arrived)).toBe(true)
    expect(arrived).toMatchObject({ isEmpty: true, message: 'only 0 left', stack: error.stack })
    expect(arrived.cause).toBe(arrived)
    expect(tripError(new Coded(7))).toStrictEqual(new Coded(7))
  })
})

describe('what a target throws always arrives', () => {
  test.each([['a string'], [null], [undefined], [-0], [{ a: [1] }], [new Map([[1, 2]])]])('%s, as itself', value => {
    expect(tripError(value)).toStrictEqual(value)
  })

  test('what cannot travel is described', () => {
    class Session {}
    const error = Object.assign(new Error('what', { cause: { deep: [Symbol('s'), new Session()] } }), {
      request: function send() {},
      kept: [1, { x: -0 }],
      note: new Note(1, 'closed'),
      task: Promise.resolve(),
      after: new Error('kept', { cause: 'too' }),
    })
    const arrived = tripError(error)
    expect(arrived).toBeInstanceOf(Error)
    expect(arrived.message).toBe('what')
    expect(arrived.cause).toStrictEqual({ deep: ['Symbol(s)', '[Session]'] })
    expect(arrived.request).toBe('[function send]')
    expect(arrived.kept).toStrictEqual([1, { x: -0 }])
    expect([arrived.note, arrived.task]).toStrictEqual(['[Note]', '[Promise]'])
    expect(arrived.after).toMatchObject({ message: 'kept', cause: 'too' })
    expect(thrownBy(() => trip(error))).toMatchObject({ code: 'MP_ENCODE' })
  })

  test('identity is kept around what is described', () => {
    const shared = { x: 1 }
    const broken = [shared, new Proxy({ first: {} }, { get: () => fail() }), shared]
    const arrived = tripError(Object.assign(new Error('what'), { broken, shared, last: [shared] }))
    expect(arrived.broken[0]).toBe(arrived.shared)
    expect(arrived.broken[2]).toBe(arrived.shared)
    expect(arrived.last[0]).toBe(arrived.shared)
  })

  test('a function, a symbol', () => {
    expect(tripError(function thrown() {})).toBe('[function thrown]')
    expect(tripError(Symbol('s'))).toBe('Symbol(s)')
  })

  test('a hostile error', () => {
    const hostile = new Error('hidden')
    for (const key of ['stack', 'name', 'message', 'code', 'cause', 'extra']) {
      Object.defineProperty(hostile, key, { get: fail, enumerable: key === 'extra' })
    }
    expect(tripError(hostile)).toBeInstanceOf(Error)
    class Hostile extends Error {
      override get name(): string {
        return fail()
      }
      static {
        Object.defineProperty(Hostile, 'name', { get: fail })
      }
    }
    expect(tripError(new Hostile('kept'))).toMatchObject({ message: 'kept' })
    const everything = Object.fromEntries(
      Object.getOwnPropertyNames(Reflect).map(trap => [trap, fail]),
    ) as ProxyHandler<Error>
    expect(tripError(new Proxy(new Error('proxy'), everything))).toEqual(expect.anything())
  })

  test('a chain of causes without end, and one that is a cycle', () => {
    let chain = new Error('first')
    for (let i = 0; i < 5000; i++) chain = new Error('next', { cause: chain })
    expect(tripError(chain)).toMatchObject({ message: 'next', cause: { message: 'next' } })
    const cycle = new Error('cycle')
    cycle.cause = cycle
    const arrived = tripError(cycle)
    expect(arrived.cause).toBe(arrived)
  })
})

function fail(): never {
  throw new Error('hostile')
}
