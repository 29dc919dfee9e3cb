import { transport } from '@mp/memory'
import { bendWires, sinkBut } from './bend.mjs'

const inOrder = ['Queue: basics', 'Q2 items leave in the order in which they came, from one']

/** Each of these wires breaks one promise. Most leave the first frame to a child alone, since that is the order to start. */
export const brokenWires = {
  'drops frames': {
    transport: bendWires(transport, () => {
      let count = 0
      return {
        send: (frame, next) => {
          if (++count % 3 !== 0) next(frame)
        },
      }
    }),
    fails: [inOrder],
  },

  'gives a frame twice': {
    transport: bendWires(transport, () => {
      let count = 0
      return {
        send(frame, next) {
          const copy = frame[0].slice()
          next(frame)
          if (++count > 2) next([copy])
          return undefined
        },
      }
    }),
    fails: [['Queue: basics', 'Q4 ']],
  },

  'reorders frames': {
    transport: bendWires(transport, () => {
      let held
      let count = 0
      return {
        send(frame, next) {
          if (++count % 3 === 0) held = frame
          else {
            next(frame)
            if (held) next(held)
            held = undefined
          }
          return undefined
        },
      }
    }),
    fails: [inOrder],
  },

  'truncates what is large': {
    transport: bendWires(transport, () => ({
      send: ([bytes, attachments], next) =>
        void next([bytes.length > 60_000 ? bytes.slice(0, 60_000) : bytes, attachments]),
    })),
    fails: [['Values', 'values arrive as they are, as messages']],
  },

  'flips a bit': {
    transport: bendWires(transport, () => ({
      send([bytes, attachments], next) {
        if (bytes.length > 1_000) bytes[bytes.length - 10] = bytes.at(-10) ^ 1
        next([bytes, attachments])
        return undefined
      },
    })),
    fails: [['Values', 'values arrive as they are, as messages']],
  },

  'uses the memory of a frame again': {
    transport: bendWires(transport, () => {
      let last
      return {
        sink: sink =>
          sinkBut(sink, {
            frame(bytes, attachments) {
              last?.fill(0)
              last = bytes
              sink.frame(bytes, attachments)
            },
          }),
      }
    }),
    fails: [['Queue: basics', 'Q6 ']],
  },

  'loses what rides beside a frame': {
    transport: bendWires(transport, () => ({ send: ([bytes], next) => void next([bytes]) })),
    fails: [['Capabilities are what they say', 'attachments']],
  },

  'throws on send': {
    transport: bendWires(transport, () => ({
      send() {
        throw new Error('the medium is gone')
      },
    })),
    fails: [['Process: start', 'P12']],
  },

  'throws on a send to a dead peer': {
    transport: bendWires(transport, () => {
      let dead = false
      return {
        send(frame, next) {
          if (dead) throw new Error('EPIPE')
          next(frame)
          return undefined
        },
        sink: sink =>
          sinkBut(sink, {
            close() {
              dead = true
              // Told a moment later, as by a socket that must first be read to its end.
              setTimeout(() => sink.close(), 30)
            },
          }),
      }
    }),
    fails: [['Death at any moment', 'C15 sends to a peer that has just died']],
  },

  'never drains': {
    transport: bendWires(transport, () => ({
      send(frame, next) {
        next(frame)
        return false
      },
    })),
    fails: [['Process: start', 'P9']],
  },

  'forgets to tell the close': {
    transport: bendWires(transport, () => ({ sink: sink => sinkBut(sink, { close() {} }) })),
    fails: [['Death at any moment', 'C15 the end of file of a peer that died']],
  },

  'delivers after the close': {
    transport: bendWires(transport, () => {
      const late = []
      return {
        sink: sink =>
          sinkBut(sink, {
            frame(bytes, attachments) {
              if (late.push([bytes, attachments]) <= 2) sink.frame(bytes, attachments)
              else setTimeout(() => sink.frame(bytes, attachments), 20)
            },
          }),
      }
    }),
    fails: [['Pipe and Connection', 'C16 ']],
  },

  'loses frames that were sent before the start': {
    transport: bendWires(transport, () => {
      let lost = false
      return {
        // A sink that does not read yet hears nothing: this looks as if the first answer had never come.
        sink: sink =>
          sinkBut(sink, {
            frame(bytes, attachments) {
              if (lost) sink.frame(bytes, attachments)
              lost = true
            },
          }),
      }
    }),
    fails: [['Process: start', 'P9']],
  },
}
