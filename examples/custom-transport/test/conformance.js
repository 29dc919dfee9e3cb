import { describe, test } from 'node:test'
import { conformance } from '@mp/conformance'
import * as context from '../src/index.js'

conformance({
  transport: context.transport,
  context,
  module: new URL('../src/index.js', import.meta.url),
  describe,
  test,
})
