// node:test runs this, once for each transport. The environment names the transport.

import { describe, test } from 'node:test'
import { conformance } from '@mp/conformance'
import { loadTransport } from './transports.js'

const { context, module } = await loadTransport(process.env.MP_CONFORMANCE_TRANSPORT ?? '')

conformance({ transport: context.transport, context, module, describe, test })
