import { faults } from '@mp/conformance'
import * as context from '@mp/unix-socket'
import { describe, test } from 'vitest'

faults({
  transport: context.transport,
  context,
  module: new URL('../dist/index.js', import.meta.url),
  describe,
  test,
  wireDescriptor: 3,
})
