import { once } from 'node:events'
import { pack, unpack } from 'msgpackr'
import { sitOn } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'
import { bytesPerWrite, framed, onFrames, openSocket } from './net-frames.js'

// Raw Node: as net-process, for objects.
const [act, where, payload, core] = process.argv.slice(2) as ['flood' | 'echo', string, PayloadName, string | undefined]
const { make } = messagesOf(payload)
const messagesPerWrite = 500

if (core !== undefined) sitOn(Number(core))
const socket = openSocket(where)
onFrames(socket, bytes => {
  if (act === 'echo') socket.write(framed(pack(unpack(bytes))))
  else void flood(Buffer.from(bytes).readUInt32LE())
})

async function flood(count: number): Promise<void> {
  for (let sequence = 0; sequence < count; ) {
    const frames: Buffer[] = []
    for (let bytes = 0; frames.length < messagesPerWrite && bytes < bytesPerWrite && sequence < count; sequence++) {
      const frame = framed(pack(make(sequence)))
      frames.push(frame)
      bytes += frame.length
    }
    if (!socket.write(Buffer.concat(frames))) await once(socket, 'drain')
  }
}
