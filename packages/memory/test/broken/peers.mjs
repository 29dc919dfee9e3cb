import { transport } from '@mp/memory'
import { transport as threads } from '@mp/worker-threads'
import { bendPeers, bendWires, sinkBut } from './bend.mjs'

/** Transports that are wrong about their peers. Some need a medium that has handles, or more than one thread. */
export const brokenPeers = {
  'never tells the exit': {
    transport: bendPeers(transport, peer => ({ ...peer, exited: new Promise(() => {}) })),
    fails: [['Process: start', 'P12']],
  },

  'tells a terminated child as one that failed': {
    transport: bendPeers(transport, peer => ({
      ...peer,
      exited: peer.exited.then(({ signal, code }) => ({ code: signal ? 1 : code, signal: null })),
    })),
    fails: [['Process: exit status', 'P33']],
  },

  'tells another exit code': {
    transport: bendPeers(transport, peer => ({
      ...peer,
      exited: peer.exited.then(exit => ({ ...exit, code: exit.code === 1 ? 0 : exit.code })),
    })),
    fails: [['Process: exit status', 'P28 P29']],
  },

  'tells a thread that exits as one that returned': {
    transport: bendPeers(threads, peer => ({
      ...peer,
      exited: peer.exited.then(exit => ({ ...exit, code: exit.code && exit.code & 1 })),
    })),
    fails: [
      ['Process: exit status', 'P30'],
      ['Process: exit status', 'P31'],
    ],
  },

  'does not terminate': {
    transport: bendPeers(transport, peer => ({ ...peer, kill() {} })),
    fails: [['Process: terminate, close, end of the parent', 'P49 terminate() and kill() do not wait']],
  },

  'says that it has killed a thread, and leaks it': {
    transport: bendPeers(threads, peer => {
      let killed
      const signal = new Promise(resolve => {
        killed = resolve
      })
      return {
        ...peer,
        exited: Promise.race([peer.exited, signal.then(signal => ({ code: null, signal }))]),
        kill(signal = 'SIGKILL') {
          // A child that hears it may end by itself; a busy one does not.
          peer.wire.close()
          killed(signal)
        },
      }
    }),
    fails: [['Process: terminate, close, end of the parent', 'P51']],
  },

  'tells the exit before what was sent has arrived': {
    transport: bendPeers(
      bendWires(threads, () => ({
        sink: sink =>
          sinkBut(sink, {
            frame: (bytes, attachments) => void setTimeout(() => sink.frame(bytes, attachments), 1_500),
            close: error => void setTimeout(() => sink.close(error), 1_500),
          }),
      })),
      peer => peer,
    ),
    fails: [['Process: exit status', 'P28 P29']],
  },

  'holds the event loop': {
    transport: bendWires(threads, () => ({ unref() {} })),
    fails: [['What keeps a program alive', 'an idle daemon']],
  },

  'gives a pid that is not its own': {
    transport: bendPeers(transport, peer => ({ ...peer, pid: process.ppid })),
    fails: [['Capabilities are what they say', 'signals']],
  },

  'starts each peer twice': {
    transport: {
      ...threads,
      spawn(options) {
        threads.spawn({ ...options, id: `${options.id}.again` })
        return threads.spawn(options)
      },
    },
    fails: [['Process: start', 'P12']],
  },
}
