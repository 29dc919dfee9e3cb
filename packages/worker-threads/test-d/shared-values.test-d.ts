import type { SharedType } from '@mp/core'
import { type Lock, Process, RLock, Semaphore, SharedArray, Value } from '@mp/worker-threads'
import { expectTypeOf } from 'vitest'

// Never run: the package's typecheck compiles it.

declare function count(counter: Value<'i32'>, totals: SharedArray<'f64'>): Promise<void>
declare function countAlone(counter: Value<'i32', undefined>): Promise<void>
declare function countAnyhow(counter: Value<'i32', Lock | undefined>): Promise<void>

// Whichever it is, it tells.
expectTypeOf(Value.prototype.type).toEqualTypeOf<SharedType>()

// The type's name says what an element is.
{
  const counter = new Value('i32', 5)
  expectTypeOf(counter).toEqualTypeOf<Value<'i32'>>()
  expectTypeOf(counter.type).toEqualTypeOf<'i32'>()
  expectTypeOf(counter.value).toEqualTypeOf<number>()
  expectTypeOf(counter.add(1)).toEqualTypeOf<number>()
  const large = new Value('u64', 5n)
  expectTypeOf(large.value).toEqualTypeOf<bigint>()
  expectTypeOf(large.add).parameter(0).toEqualTypeOf<bigint>()
  large.value += 1n
  // @ts-expect-error: a bigint is no f32
  new Value('f32', 5n)
  // @ts-expect-error: 64-bit integers are bigints
  new Value('i64', 5)
  // @ts-expect-error: no such type
  new Value('int')
  // @ts-expect-error: of which type?
  new Value(5)
}

{
  const totals = new SharedArray('f64', 3)
  expectTypeOf(totals).toEqualTypeOf<SharedArray<'f64'>>()
  expectTypeOf(totals.get(0)).toEqualTypeOf<number>()
  expectTypeOf(totals.view).toEqualTypeOf<Float64Array<SharedArrayBuffer>>()
  expectTypeOf([...totals]).toEqualTypeOf<number[]>()
  const large = new SharedArray('i64', [1n, 2n])
  expectTypeOf(large.view).toEqualTypeOf<BigInt64Array<SharedArrayBuffer>>()
  expectTypeOf([...large]).toEqualTypeOf<bigint[]>()
  new SharedArray('u8', new Set([1, 2]))
  // @ts-expect-error: bigints are no bytes
  new SharedArray('u8', [1n])
  // @ts-expect-error: how many?
  new SharedArray('u8')
}

// Whether there is a lock, and which, is part of the type.
expectTypeOf(new Value('i32').lock).toEqualTypeOf<Lock>()
expectTypeOf(new Value('i32', 0, {}).lock).toEqualTypeOf<Lock>()
expectTypeOf(new Value('i32', 0, { lock: true }).lock).toEqualTypeOf<Lock>()
expectTypeOf(new Value('i32', 0, { lock: false }).lock).toEqualTypeOf<undefined>()
expectTypeOf(new Value('i32', 0, { lock: new RLock() }).lock).toEqualTypeOf<RLock>()
expectTypeOf(new Value('i32', 0, { lock: true as boolean }).lock).toEqualTypeOf<Lock | undefined>()
expectTypeOf(new SharedArray('i32', 1, { lock: false }).lock).toEqualTypeOf<undefined>()
// @ts-expect-error: a Semaphore is no Lock
new Value('i32', 0, { lock: new Semaphore() })

// A target's arguments are checked.
{
  const alone = new Value('i32', 0, { lock: false })
  new Process({ target: count, args: [new Value('i32'), new SharedArray('f64', [0.5])] })
  new Process({ target: countAlone, args: [alone] })
  new Process({ target: countAnyhow, args: [alone] })
  new Process({ target: countAnyhow, args: [new Value('i32', 0, { lock: new RLock() })] })
  // @ts-expect-error: it needs a lock
  new Process({ target: count, args: [alone, new SharedArray('f64', 1)] })
  // @ts-expect-error: of another type
  new Process({ target: countAlone, args: [new Value('f64', 0, { lock: false })] })
}

async function useLock(counter: Value<'i32'>): Promise<void> {
  await using _guard = await counter.lock.acquire()
  counter.value += 1
}

void useLock
