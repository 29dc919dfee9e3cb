import type { Capabilities, Transport } from '../src/transport/transport.js'

/** A transport of bytes that starts nothing: for tests that bring their own wires. */
export function stubTransport(capabilities: Partial<Capabilities> = {}): Transport {
  return {
    name: 'test',
    capabilities: {
      reach: 'process',
      isolation: 'process',
      sync: false,
      network: false,
      sharedMemory: false,
      attachments: false,
      ...capabilities,
    },
    spawn() {
      throw new Error('no peers here')
    },
  }
}
