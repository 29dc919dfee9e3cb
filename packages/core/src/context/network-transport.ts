import { MpError } from '../errors.js'
import type { NetworkTransport, Transport } from '../transport/transport.js'

const networks = new Map<Transport, Transport>()

/**
 * The transport that the links between unrelated programs see. They carry values, bytes and errors, but no handles: a ticket means
 * nothing in another program.
 */
export function networkOf(transport: NetworkTransport): Transport {
  let made = networks.get(transport)
  if (!made) {
    const { name, capabilities, buffers = false } = transport
    made = Object.freeze({
      name: `${name} by address`,
      buffers,
      capabilities: Object.freeze({
        ...capabilities,
        reach: 'host' as const,
        sync: false,
        sharedMemory: false,
        attachments: false,
      }),
      spawn(): never {
        throw new MpError('MP_NOT_SUPPORTED', 'a process is started here, not at an address')
      },
    })
    networks.set(transport, made)
  }
  return made
}

function isNetwork(transport: Transport): boolean {
  for (const each of networks.values()) if (each === transport) return true
  return false
}

/** Throws where a handle of `own` cannot travel over `over`. */
export function checkTravels(what: string, own: Transport, over: Transport): void {
  if (own === over && !isNetwork(own)) return
  const why = isNetwork(own)
    ? `a ${what} that was made by address stays in its context: others connect by address, too`
    : isNetwork(over)
      ? `a ${what} stays in its program: serve a queue by its name instead`
      : `a ${what} of ${own.name} cannot travel over ${over.name}`
  throw new MpError('MP_NOT_SHAREABLE', why)
}
