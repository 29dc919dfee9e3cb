import { connect, Socket } from 'node:net'

/** Instead of a path: the child has inherited its socket. */
export const INHERITED = 'inherited'

export function openSocket(where: string): Socket {
  return where === INHERITED ? new Socket({ fd: 3 }) : connect(where)
}

/** Bytes that are gathered for one write. */
export const bytesPerWrite = 64 * 1024

export function lengthOf(bytes: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(4)
  header.writeUInt32LE(bytes.length)
  return header
}

/** A message and its length in one buffer. It must be a copy: the socket writes later, and the message's array is used again. */
export function framed(bytes: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(4 + bytes.length)
  frame.writeUInt32LE(bytes.length)
  frame.set(bytes, 4)
  return frame
}

/** Calls `take` for each whole message. The function that it gives stops that. */
export function onFrames(socket: Socket, take: (bytes: Uint8Array) => void): () => void {
  const header = Buffer.allocUnsafe(4)
  let headerFilled = 0
  let frame: Buffer | undefined
  let filled = 0
  const onData = (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; ) {
      if (!frame) {
        const copied = chunk.copy(header, headerFilled, at)
        at += copied
        headerFilled += copied
        if (headerFilled < 4) return
        headerFilled = 0
        frame = Buffer.allocUnsafeSlow(header.readUInt32LE())
        filled = 0
      }
      const copied = chunk.copy(frame, filled, at)
      at += copied
      filled += copied
      if (filled < frame.length) return
      const whole = frame
      frame = undefined
      take(whole)
    }
  }
  socket.on('data', onData)
  return () => socket.off('data', onData)
}
