import { MpError, type Peer, type PeerExit, type SpawnOptions, serve, type Transport } from '@mp/core/spi'
import { capabilities } from './capabilities.js'
import { wirePair } from './wire.js'

/** Pids of this transport are larger than those of any operating system, and of worker threads. */
let lastPid = 2 ** 23

/**
 * Children that share the thread of their creator. Nothing runs in parallel, and nothing is protected from anything; all else
 * means the same as on other transports. There are no direct wires, so this also shows that core's relay is enough.
 */
export const transport: Transport = Object.freeze({ name: 'memory', capabilities, spawn })

function spawn(options: SpawnOptions): Peer {
  const { env, execArgv, cwd, stdio, resourceLimits } = options
  const ofItsOwn = { env, execArgv, cwd, resourceLimits, 'stdio that is piped': stdio === 'pipe' || undefined }
  for (const [what, value] of Object.entries(ofItsOwn)) {
    if (value === undefined) continue
    throw new MpError('MP_NOT_SUPPORTED', `a child in the thread of its creator has no ${what} of its own`)
  }
  const [near, far] = wirePair()
  let end!: (exit: PeerExit) => void
  const exited = new Promise<PeerExit>(resolve => {
    end = resolve
  })
  void serve(transport, far).then(code => {
    far.close()
    end({ code, signal: null })
  })
  return {
    id: options.id,
    pid: ++lastPid,
    wire: near,
    exited,
    // A function cannot be stopped from outside. It is cut off from everyone, and runs on without being heard.
    kill(signal = 'SIGKILL') {
      near.sever()
      end({ code: null, signal })
    },
  }
}
