import { expect, test } from 'vitest'
import { CheckError, messagesOf, payloads } from '../src/payloads.js'

test.each(payloads)('$name: the message itself passes its check, a wrong one does not', ({ name }) => {
  const { make, check } = messagesOf(name)
  check(structuredClone(make(70_000)), 70_000)
  const message = structuredClone(make(5))
  expect(() => check(message, 6)).toThrow(CheckError)
  expect(() => check(undefined, 5)).toThrow(CheckError)
})

test('a torn message fails its check', () => {
  const { make, check } = messagesOf('64B')
  const bytes = structuredClone(make(3)) as Uint8Array
  bytes[63] = 1
  expect(() => check(bytes, 3)).toThrow(CheckError)
  expect(() => check(bytes.subarray(1), 3)).toThrow(CheckError)
})
