import type { ChildProcess, StdioOptions } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Peer, type PeerExit, relayLines, type SpawnOptions, type Transport, type Wire } from '@mp/core/spi'
import { capabilities } from './capabilities.js'
import { limitingFlags } from './flags.js'
import type { PipeHandle } from './pipe-handle.js'
import { PipeWire } from './wire.js'

/** The descriptor of a child's wire to its parent. */
export const WIRE = 3
/** A descriptor of daemons. It reads nothing until the parent has ended, and then its end. */
export const LIFELINE = 4

/** What a child runs. */
export interface Boots {
  /** The module for children that are no daemons. It calls `runChild`. */
  readonly boot: URL
  /** The module for daemons. It calls `watch`, and then `runChild`. */
  readonly bootDaemon: URL
  /** More descriptors for the child to inherit. */
  readonly descriptors?: readonly number[]
  /** More environment variables, for the boot module. `first`: the number that the first of `descriptors` has in the child. */
  environment?(first: number): Readonly<Record<string, string>>
}

const boots: Boots = {
  boot: new URL('./boot.js', import.meta.url),
  bootDaemon: new URL('./boot-daemon.js', import.meta.url),
}

/** Children are processes. A child inherits one end of a socket pair as its only wire; core relays all others through it. */
export const transport: Transport = Object.freeze({
  name: 'child-process',
  capabilities,
  buffers: true,
  spawn: (options: SpawnOptions) => spawnChild(options, boots),
})

/** Starts a process with a wire of its own. */
export function spawnChild(options: SpawnOptions, boots: Boots): Peer {
  const { id, name, daemon, env, execArgv, cwd, stdio = 'inherit', resourceLimits, inherit = [] } = options
  // Not imported: a child that starts no children would load it in vain.
  const { spawn } = process.getBuiltinModule('node:child_process')
  const flags = [...(execArgv ?? process.execArgv), ...limitingFlags(resourceLimits)]
  const boot = fileURLToPath(daemon ? boots.bootDaemon : boots.boot)
  // Like 'pipe'. On Windows nobody could write to a 'pipe' while somebody waits to read from it.
  const own = ['overlapped', ...(daemon ? ['overlapped'] : [])] as const
  const { descriptors = [] } = boots
  const child = spawn(process.execPath, [...flags, boot, ...process.argv.slice(2)], {
    env: { ...process.env, ...env, ...boots.environment?.(WIRE + own.length) },
    cwd,
    stdio: ['ignore', stdio, stdio, ...own, ...descriptors, ...inherit] as StdioOptions,
  })
  const firstInherited = WIRE + own.length + descriptors.length
  // Core keeps the event loop alive for the children that are waited for.
  child.unref()
  const lifeline = child.stdio?.[LIFELINE] as Socket | undefined
  lifeline?.on('error', () => {})
  lifeline?.unref()
  const exited = new Promise<PeerExit>(resolve => {
    child.on('exit', (code, signal) => resolve({ code, signal }))
    child.on('error', error => {
      // With a pid the child runs, and a kill has failed.
      if (child.pid === undefined) resolve({ code: null, signal: null, error })
    })
  })
  void exited.then(() => lifeline?.destroy())
  const relayed = stdio === 'pipe' ? relayOutput(child, name, exited) : undefined
  return {
    id,
    ...(child.pid !== undefined && { pid: child.pid }),
    inherited: inherit.map((_, i) => firstInherited + i),
    wire: child.pid === undefined ? deadWire : wireOf(child, !daemon),
    exited: relayed ? exited.then(exit => relayed.then(() => exit)) : exited,
    kill(signal = 'SIGKILL') {
      child.kill(signal)
    },
  }
}

/** Fulfils when all that the child wrote has been written here. */
async function relayOutput({ stdout, stderr }: ChildProcess, name: string, exited: Promise<unknown>): Promise<void> {
  for (const stream of [stdout, stderr]) (stream as Socket | null)?.unref()
  await Promise.all([
    stdout && relayLines(stdout, process.stdout, name, exited),
    stderr && relayLines(stderr, process.stderr, name, exited),
  ])
}

/** Takes the handle from the stream that Node made for it, since that would copy and buffer what comes. */
function wireOf(child: ChildProcess, flushAtExit: boolean): PipeWire {
  const stream = child.stdio[WIRE] as Socket & { _handle: PipeHandle | null }
  const handle = stream._handle as PipeHandle
  stream._handle = null
  stream.destroy()
  return new PipeWire({ handle }, flushAtExit)
}

/** The wire to a process that could not be started. */
const deadWire: Wire = {
  start: sink => void setImmediate(() => sink.close()),
  send: () => true,
  close() {},
  unref() {},
}
