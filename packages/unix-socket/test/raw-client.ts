import { connect, type Socket } from 'node:net'
import { eventually, within } from '@mp/conformance'
import { onTestFinished } from 'vitest'

/** A client, or a server's side of a connection, that sends frames, which need not follow the protocol. */
export class RawClient {
  readonly socket: Socket
  readonly frames: Buffer[] = []
  closed = false
  #bytes = Buffer.alloc(0)

  constructor(from: string | Socket) {
    this.socket = typeof from === 'string' ? connect(from) : from
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.closed = true
    })
    this.socket.on('data', chunk => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      for (;;) {
        if (this.#bytes.length < 4) return
        const end = 4 + this.#bytes.readUInt32LE()
        if (this.#bytes.length < end) return
        this.frames.push(this.#bytes.subarray(4, end))
        this.#bytes = this.#bytes.subarray(end)
      }
    })
    onTestFinished(() => void this.socket.destroy())
  }

  send(frame: Uint8Array): void {
    const header = Buffer.alloc(4)
    header.writeUInt32LE(frame.length)
    this.socket.write(Buffer.concat([header, frame]))
  }

  async frame(index: number): Promise<Buffer> {
    await eventually(() => this.frames.length > index || this.closed, `frame ${index}`)
    const found = this.frames[index]
    if (!found) throw new Error(`closed before frame ${index}`)
    return found
  }

  async cutOff(ms = 10_000): Promise<void> {
    if (!this.closed) await within(new Promise(resolve => this.socket.once('close', resolve)), 'the cut', ms)
  }
}
