import { once } from 'node:events'
import { sitOn } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'
import { bytesPerWrite, framed, lengthOf, onFrames, openSocket } from './net-frames.js'

// Raw Node: `flood` takes orders, each a number of messages to write; `echo` writes back what comes. Ends with the socket.
const [act, where, payload, core] = process.argv.slice(2) as ['flood' | 'echo', string, PayloadName, string | undefined]
const { make } = messagesOf(payload)
/** Up to here a copy costs less than a further piece of a write. */
const copiedBelow = 16 * 1024

if (core !== undefined) sitOn(Number(core))
const socket = openSocket(where)
onFrames(socket, bytes => {
  if (act === 'echo') socket.write(framed(bytes))
  else void flood(Buffer.from(bytes).readUInt32LE())
})

async function flood(count: number): Promise<void> {
  let corked = 0
  for (let sequence = 0; sequence < count; sequence++) {
    const value = make(sequence)
    const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : (value as Uint8Array)
    if (corked === 0) socket.cork()
    if (bytes.length < copiedBelow) socket.write(framed(bytes))
    else {
      socket.write(lengthOf(bytes))
      socket.write(bytes)
    }
    corked += bytes.length
    if (corked < bytesPerWrite && bytes.length < copiedBelow && sequence + 1 < count) continue
    corked = 0
    socket.uncork()
    // Large bytes are not copied, and `make` uses its array again: so they must have gone by then.
    if (socket.writableNeedDrain) await once(socket, 'drain')
  }
}
