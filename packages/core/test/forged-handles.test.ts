import { describe, expect, it } from 'vitest'
import { BarrierHome } from '../src/barrier/home.js'
import { RemoteBarrier } from '../src/barrier/remote.js'
import { registerHandles } from '../src/boot/register-handles.js'
import { PACK, type PackedHandle } from '../src/codec/handle.js'
import { Context } from '../src/context/context.js'
import { readMessage } from '../src/context/message-reader.js'
import { Envelope, encodeMessage, type HandlePacking } from '../src/context/message-writer.js'
import { LocalWire } from '../src/link/local-wire.js'
import type { End } from '../src/link/wire-end.js'
import { QueueHome } from '../src/queue/home.js'
import { RemoteQueue } from '../src/queue/remote.js'
import { ByteBuffer } from '../src/runtime/byte-buffer.js'
import { SemaphoreHome } from '../src/semaphore/home.js'
import { RemoteSemaphore } from '../src/semaphore/remote.js'
import { until } from './raw-holder.js'
import { stubTransport } from './stub-transport.js'
import { watchedEnd } from './watched-end.js'

const transport = stubTransport()
registerHandles()

const packed = { maxsize: 0, shutDown: false, end: 0 }

/** What a context may have: of each kind one that is at home there and shared, and one that is not. */
const makers: Record<string, (context: Context, id: string) => object> = {
  'queue at home': (context, id) => new QueueHome(context, transport, id, 0).share(),
  'queue elsewhere': (context, id) => new RemoteQueue(context, transport, { ...packed, id }, LocalWire.pair()[0]),
  'semaphore at home': (context, id) => new SemaphoreHome(context, transport, id, 1, 1).share(),
  'semaphore elsewhere': (context, id) => new RemoteSemaphore(context, transport, id, LocalWire.pair()[0]),
  'barrier at home': (context, id) => new BarrierHome(context, transport, id, 2, undefined).share(),
  'barrier elsewhere': (context, id) => new RemoteBarrier(context, transport, id, 2, LocalWire.pair()[0]),
}

class ForgedHandle {
  readonly #kind: string
  readonly #end: End

  constructor(kind: string, end: End) {
    this.#kind = kind
    this.#end = end
  }

  [PACK](packing: HandlePacking): PackedHandle {
    const state = { ...packed, id: 'main.1', parties: 2, timeout: null, end: packing.attachEnd(this.#end) }
    return { kind: this.#kind, state }
  }
}

const kinds: Record<string, string> = { queue: 'queue', semaphore: 'Lock', barrier: 'Barrier' }

describe('a handle that comes with the id of', () => {
  for (const [there, make] of Object.entries(makers)) {
    for (const [name, kind] of Object.entries(kinds).filter(([name]) => !there.startsWith(name))) {
      it(`a ${there} as a ${name} is MP_DECODE, and its end is closed`, async () => {
        const context = new Context({ id: 'main', name: 'main', pid: 1, daemon: false, path: [] }, null)
        make(context, 'main.1')
        const { end, closed } = watchedEnd()
        const out = new ByteBuffer(256)
        const envelope = new Envelope(transport)
        encodeMessage(new ForgedHandle(kind, end), out, envelope)
        const message = { bytes: out.bytes, start: 0, end: out.length, parcels: envelope.parcels }
        expect(() => readMessage(context, transport, message)).toThrow(expect.objectContaining({ code: 'MP_DECODE' }))
        await until(closed)
      })
    }
  }
})
