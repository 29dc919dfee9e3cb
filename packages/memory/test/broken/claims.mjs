import { transport } from '@mp/memory'
import { transport as threads } from '@mp/worker-threads'
import { bendWires } from './bend.mjs'

const group = 'Capabilities are what they say'

function claiming(transport, wrong) {
  return { ...transport, capabilities: Object.freeze({ ...transport.capabilities, ...wrong }) }
}

/** Transports that declare what is not true. */
export const brokenClaims = {
  'claims blocking calls': {
    transport: claiming(transport, { sync: true }),
    fails: [[group, 'sync']],
  },
  'claims a network': {
    transport: claiming(transport, { network: true }),
    fails: [[group, 'network']],
  },
  'claims attachments': {
    transport: claiming(
      bendWires(transport, () => ({ send: ([bytes], next) => void next([bytes]) })),
      { attachments: true },
    ),
    fails: [[group, 'attachments']],
  },
  'claims shared memory': {
    transport: claiming(
      bendWires(transport, () => ({
        send: ([bytes, attachments], next) =>
          void next([
            bytes,
            attachments?.map(each => (each instanceof SharedArrayBuffer ? structuredCopy(each) : each)),
          ]),
      })),
      { sharedMemory: true },
    ),
    fails: [[group, 'sharedMemory']],
  },
  'hides that attachments work': {
    transport: claiming(transport, { attachments: false, sharedMemory: false }),
    fails: [[group, 'attachments']],
  },
  'hides that memory is shared': {
    transport: claiming(transport, { sharedMemory: false }),
    fails: [[group, 'sharedMemory']],
  },
  'claims isolation': {
    transport: claiming(transport, { isolation: 'thread' }),
    fails: [[group, 'isolation']],
  },
  'claims processes': {
    transport: claiming(threads, { isolation: 'process', reach: 'process' }),
    fails: [
      [group, 'isolation'],
      [group, 'signals'],
    ],
  },
  'hides isolation': {
    transport: claiming(threads, { isolation: 'none' }),
    fails: [[group, 'isolation']],
  },
  'declares what may change': {
    transport: { ...transport, capabilities: { ...transport.capabilities } },
    fails: [[group, 'the declaration']],
  },
}

function structuredCopy(shared) {
  const copy = new SharedArrayBuffer(shared.byteLength)
  new Uint8Array(copy).set(new Uint8Array(shared))
  return copy
}
