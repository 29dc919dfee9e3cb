import { closeSync, openSync } from 'node:fs'
import { transport as threads } from '@mp/worker-threads'
import { bendDirectWires, sinkBut } from './bend.mjs'

const group = 'Wire'
const { wires } = threads

/** Each of these direct wires breaks one promise. Core may not notice it: only the cases of the group about wires must. */
export const brokenDirectWires = {
  'reorders frames of a direct wire': {
    transport: bendDirectWires(threads, () => {
      let count = 0
      let held
      return {
        send(frame, next) {
          if (++count === 3) held = frame
          else next(frame)
          if (count === 4) next(held)
        },
      }
    }),
    fails: [
      [group, 'frames arrive whole'],
      [group, 'a frame of one byte'],
    ],
  },

  'mixes up what rides': {
    transport: bendDirectWires(threads, () => ({
      send: ([bytes, attachments], next) => void next([bytes, attachments?.toReversed()]),
    })),
    fails: [[group, 'what rides beside a frame']],
  },

  'cuts off the last byte of the largest frame': {
    transport: bendDirectWires(threads, () => ({
      send: ([bytes, attachments], next) =>
        void next([bytes.length === 2 ** 20 ? bytes.slice(0, -1) : bytes, attachments]),
    })),
    fails: [[group, 'a frame of one byte']],
  },

  'sends parts as frames': {
    transport: bendDirectWires(threads, () => ({
      sendParts: inner => parts => parts.every(part => inner.send(part)),
    })),
    fails: [[group, 'a frame whose bytes lie in several places']],
  },

  'gives frames that share memory': {
    transport: bendDirectWires(threads, () => {
      const memory = new Uint8Array(2 ** 21)
      return {
        sink: sink =>
          sinkBut(sink, {
            frame(bytes, attachments) {
              memory.set(bytes)
              sink.frame(memory.subarray(0, bytes.length), attachments)
            },
          }),
      }
    }),
    fails: [[group, 'each frame has memory of its own']],
  },

  'drains within send': {
    transport: bendDirectWires(threads, () => {
      let heard
      return {
        sink(sink) {
          heard = sink
          return sink
        },
        send(frame, next) {
          next(frame)
          heard.drain()
          return false
        },
      }
    }),
    fails: [[group, 'nothing is called from within']],
  },

  'forgets what came before the start': {
    transport: bendDirectWires(threads, () => ({
      sink(sink) {
        let early = true
        setImmediate(() => {
          early = false
        })
        return sinkBut(sink, { frame: (...frame) => early || sink.frame(...frame) })
      },
    })),
    fails: [
      [group, 'frames that came before the start'],
      [group, 'frames that were sent before the other end is open'],
    ],
  },

  'tells the close before the last frames': {
    transport: bendDirectWires(threads, () => ({
      sink: sink => sinkBut(sink, { frame: (...frame) => void setTimeout(() => sink.frame(...frame), 20) }),
    })),
    fails: [[group, 'a close is heard']],
  },

  'tells who closes of the close': {
    transport: bendDirectWires(threads, () => {
      let heard
      return {
        sink(sink) {
          heard = sink
          return sink
        },
        close(close) {
          close()
          setImmediate(() => heard?.close())
        },
      }
    }),
    fails: [
      [group, 'a close is heard'],
      [group, 'neither side hears'],
    ],
  },

  'tells the close twice': {
    transport: bendDirectWires(threads, () => ({
      sink: sink =>
        sinkBut(sink, {
          close() {
            sink.close()
            setImmediate(() => sink.close())
          },
        }),
    })),
    fails: [[group, 'a send to a side that has closed']],
  },

  'never drains a direct wire': {
    transport: bendDirectWires(threads, () => {
      let bytes = 0
      return {
        send(frame, next) {
          bytes += frame[0].length
          next(frame)
          return bytes < 2 ** 20
        },
      }
    }),
    fails: [[group, 'a send that gives false']],
  },

  'gives a frame again that receiveSync gave': {
    transport: bendDirectWires(threads, () => {
      let heard
      return {
        sink(sink) {
          heard = sinkBut(sink, {
            frame(bytes, attachments) {
              heard.last = bytes
              sink.frame(bytes, attachments)
            },
          })
          return heard
        },
        receiveSync(timeoutMs, inner) {
          const came = inner.receiveSync(timeoutMs)
          if (came) setImmediate(() => heard.frame(heard.last))
          return came
        },
      }
    }),
    fails: [[group, 'receiveSync gives']],
  },

  'holds the event loop by a direct wire': {
    transport: bendDirectWires(threads, () => ({ unref() {} })),
    fails: [[group, 'an idle wire']],
  },

  'hides what rides in a ticket': {
    transport: bendDirectWires(threads, () => ({}), {
      pair: () => wires.pair().map(({ value }) => ({ value })),
    }),
    fails: [[group, 'a ticket is plain data']],
  },

  'opens something for each pair': {
    transport: bendDirectWires(threads, () => ({}), {
      pair() {
        const held = openSync('/dev/null')
        setTimeout(closeSync, 20_000, held).unref()
        return wires.pair()
      },
    }),
    fails: [[group, 'tickets that are never opened']],
  },

  'opens anything': {
    transport: bendDirectWires(threads, () => ({}), {
      open(value) {
        try {
          return wires.open(value)
        } catch {
          return { start() {}, unref() {}, send: () => true, close() {} }
        }
      },
    }),
    fails: [[group, 'what is no ticket']],
  },
}
