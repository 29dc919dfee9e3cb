import { openConnection } from './connection.js'
import { openNativeConnection } from './native-connection.js'
import { openQueue } from './queue.js'
import { registerHandle } from './unpacking.js'

/** Makes every kind of handle known to the reader of messages, which depends on none of them. */
export function registerHandles(): void {
  registerHandle('connection', openConnection)
  registerHandle('native-connection', openNativeConnection)
  registerHandle('queue', openQueue)
}
