import * as context from '@mp/child-process'
import { faults } from '@mp/conformance'
import { describe, test } from 'vitest'

faults({
  transport: context.transport,
  context,
  module: new URL('../dist/index.js', import.meta.url),
  describe,
  test,
  wireDescriptor: 3,
})
