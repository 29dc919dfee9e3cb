import type { Capabilities } from '@mp/core/spi'

export const capabilities: Capabilities = Object.freeze({
  reach: 'thread',
  isolation: 'thread',
  sync: true,
  network: false,
  sharedMemory: true,
  attachments: true,
})
