import type { Capabilities } from '@mp/core/spi'

export const capabilities: Capabilities = Object.freeze({
  reach: 'thread',
  isolation: 'thread',
  sync: false,
  network: false,
  sharedMemory: true,
  attachments: true,
})
