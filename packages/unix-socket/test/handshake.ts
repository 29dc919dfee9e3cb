import { createHmac } from 'node:crypto'

export const KEY = 'open sesame'

/** What one side shows the other, from both nonces. */
export function proof(role: 'client' | 'server', server: Uint8Array, client: Uint8Array, key = KEY): Buffer {
  return createHmac('sha256', key).update('mp1').update(` ${role}`).update(server).update(client).digest()
}
