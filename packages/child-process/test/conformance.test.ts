import * as context from '@mp/child-process'
import { conformance } from '@mp/conformance'
import { describe, test } from 'vitest'

conformance({
  transport: context.transport,
  context,
  module: new URL('../dist/index.js', import.meta.url),
  describe,
  test,
})
