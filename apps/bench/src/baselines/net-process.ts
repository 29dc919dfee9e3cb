import { once } from 'node:events'
import { sitOn } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'
import { framed, onFrames, openSocket } from './net-frames.js'

// Raw Node: `flood` takes orders, each a number of messages to write; `echo` writes back what comes. Ends with the socket.
const [act, where, payload, core] = process.argv.slice(2) as ['flood' | 'echo', string, PayloadName, string | undefined]
const { make } = messagesOf(payload)

if (core !== undefined) sitOn(Number(core))
const socket = openSocket(where)
onFrames(socket, bytes => {
  if (act === 'echo') socket.write(framed(bytes))
  else void flood(Buffer.from(bytes).readUInt32LE())
})

async function flood(count: number): Promise<void> {
  for (let sequence = 0; sequence < count; sequence++) {
    const value = make(sequence)
    const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : (value as Uint8Array)
    if (!socket.write(framed(bytes))) await once(socket, 'drain')
  }
}
