import type { Capabilities } from '@mp/core/spi'

export const capabilities: Capabilities = Object.freeze({
  reach: 'process',
  isolation: 'process',
  sync: false,
  network: true,
  sharedMemory: false,
  attachments: false,
})
