import type { ChildProcess, StdioOptions } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Peer, type PeerExit, relayLines, type SpawnOptions, type Transport, type Wire } from '@mp/core/spi'
import { capabilities } from './capabilities.js'
import { inheritedFlags, limitingFlags } from './flags.js'
import { type PipeHandle, PipeWire } from './wire.js'

/** The child's descriptor of its wire. */
export const WIRE = 3
/** A daemon's descriptor that comes to its end with the parent. */
export const LIFELINE = 4

/** How long a child's output may take to arrive after its end, ms. */
const LAST_OUTPUT = 1000

/** What a child runs: modules that call `runChild`. */
export interface Boots {
  readonly boot: URL
  readonly bootDaemon: URL
  /** Descriptors that the child inherits besides. */
  readonly descriptors?: readonly number[]
  /** Environment variables for the boot module, beside the program's. `first`: the number of the first of `descriptors`, there. */
  environment?(first: number): Readonly<Record<string, string>>
}

const boots: Boots = {
  boot: new URL('./boot.js', import.meta.url),
  bootDaemon: new URL('./boot-daemon.js', import.meta.url),
}

/** Children are processes; the one wire to each is a socket pair that it inherits, and core relays all others through it. */
export const transport: Transport = Object.freeze({
  name: 'child-process',
  capabilities,
  buffers: true,
  spawn: (options: SpawnOptions) => spawnChild(options, boots),
})

/** Starts a process with a wire of its own. */
export function spawnChild(options: SpawnOptions, boots: Boots): Peer {
  const { id, name, daemon, env, execArgv, cwd, stdio = 'inherit', resourceLimits } = options
  // Not imported: a child that starts none would load it in vain.
  const { spawn } = process.getBuiltinModule('node:child_process')
  const flags = [
    ...(execArgv ?? inheritedFlags(process.execArgv, (process as { _eval?: string })._eval)),
    ...limitingFlags(resourceLimits),
  ]
  const boot = fileURLToPath(daemon ? boots.bootDaemon : boots.boot)
  // As 'pipe' but for Windows, where nobody can write to a pipe of that kind while somebody waits to read.
  const own = ['overlapped', ...(daemon ? ['overlapped'] : [])] as const
  const child = spawn(process.execPath, [...flags, boot, ...process.argv.slice(2)], {
    env: { ...process.env, ...env, ...boots.environment?.(WIRE + own.length) },
    cwd,
    stdio: ['ignore', stdio, stdio, ...own, ...(boots.descriptors ?? [])] as StdioOptions,
  })
  // Core keeps the event loop alive for the children that are waited for.
  child.unref()
  const lifeline = child.stdio?.[LIFELINE] as Socket | undefined
  lifeline?.on('error', () => {})
  lifeline?.unref()
  const exited = new Promise<PeerExit>(resolve => {
    child.on('exit', (code, signal) => resolve({ code, signal }))
    child.on('error', error => {
      // Else it runs, and what failed is a kill.
      if (child.pid === undefined) resolve({ code: null, signal: null, error })
    })
  })
  void exited.then(() => lifeline?.destroy())
  const relayed = stdio === 'pipe' ? relayOutput(child, name) : undefined
  return {
    id,
    ...(child.pid !== undefined && { pid: child.pid }),
    wire: child.pid === undefined ? deadWire : wireOf(child, !daemon),
    exited: relayed ? exited.then(exit => soon(relayed).then(() => exit)) : exited,
    kill(signal = 'SIGKILL') {
      child.kill(signal)
    },
  }
}

/** Fulfils when all that the child wrote has been written here. */
async function relayOutput({ stdout, stderr }: ChildProcess, name: string): Promise<void> {
  for (const stream of [stdout, stderr]) (stream as Socket | null)?.unref()
  await Promise.all([
    stdout && relayLines(stdout, process.stdout, name),
    stderr && relayLines(stderr, process.stderr, name),
  ])
}

/** Somebody else may hold the child's descriptors: a process that it started, and left behind. */
async function soon(relayed: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, LAST_OUTPUT)
  })
  await Promise.race([relayed, late])
  clearTimeout(timer)
}

/** Takes the handle from the stream that Node made for it: that one would copy, and buffer, what comes. */
function wireOf(child: ChildProcess, flushAtExit: boolean): PipeWire {
  const stream = child.stdio[WIRE] as Socket & { _handle: PipeHandle | null }
  const handle = stream._handle as PipeHandle
  stream._handle = null
  stream.destroy()
  return new PipeWire({ handle }, flushAtExit)
}

/** To a process that could not be started. */
const deadWire: Wire = {
  start: sink => void setImmediate(() => sink.close()),
  send: () => true,
  close() {},
  unref() {},
}
