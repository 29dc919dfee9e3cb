import { conformance } from '@mp/conformance'
import * as context from '@mp/shared-array-buffer'
import { describe, test } from 'vitest'

conformance({
  transport: context.transport,
  context,
  module: new URL('../dist/index.js', import.meta.url),
  describe,
  test,
})
