import { MessageChannel, MessagePort, type Transferable, Worker } from 'node:worker_threads'
import {
  MpError,
  type Peer,
  type PeerExit,
  relayLines,
  type SpawnOptions,
  type Ticket,
  type Transport,
  type Wires,
} from '@mp/core/spi'
import { capabilities } from './capabilities.js'
import { PortWire } from './wire.js'

/** A pid is this plus the thread's id: larger than any pid of the operating system, so it cannot be confused with one. */
const FIRST_PID = 2 ** 22

/** The `workerData` of a child. */
export interface BootData {
  readonly port: MessagePort
}

/** What another transport of threads may change about a worker. */
export interface WorkerOptions {
  /** The boot module, which calls `serve`. */
  readonly boot: URL
  /** More properties of the worker's `workerData`, beside the port of {@link BootData}. */
  readonly data?: object
  readonly transferList?: readonly Transferable[]
}

const boot = new URL('./boot.js', import.meta.url)

/** Wires are MessagePorts, which can go to any thread. */
export const wires: Wires = Object.freeze({ pair, open })

/** Children are worker threads. */
export const transport: Transport = Object.freeze({
  name: 'worker-threads',
  capabilities,
  spawn: (options: SpawnOptions) => spawnWorker(options, { boot }),
  wires,
})

/** Starts a worker. Its boot module finds the port for its {@link PortWire} in `workerData`. */
export function spawnWorker(
  { id, name, env, execArgv, cwd, stdio = 'inherit', resourceLimits }: SpawnOptions,
  { boot: module, data, transferList = [] }: WorkerOptions,
): Peer {
  if (cwd !== undefined)
    throw new MpError('MP_NOT_SUPPORTED', 'cwd: the threads of a process share its working directory')
  const { port1, port2 } = new MessageChannel()
  const worker = new Worker(module, {
    name,
    workerData: { ...data, port: port2 } satisfies BootData,
    transferList: [port2, ...transferList],
    env: { ...process.env, ...inheritedOptions(), ...env },
    argv: process.argv.slice(2),
    ...execArgvOption(execArgv),
    ...(stdio !== 'inherit' && { stdout: true, stderr: true }),
    ...(resourceLimits && { resourceLimits }),
  })
  if (stdio === 'ignore') {
    worker.stdout.resume()
    worker.stderr.resume()
  }
  // Core keeps the event loop alive for the children that are waited for.
  worker.unref()
  let killed: string | undefined
  let failure: Error | undefined
  worker.on('error', error => {
    failure = error
  })
  const exited = new Promise<PeerExit>(resolve => {
    worker.on('exit', code => {
      // After terminate() the exit code is 1, as after an uncaught error.
      const exit = killed ? { code: null, signal: killed } : { code, signal: null }
      resolve(failure ? { ...exit, error: failure } : exit)
    })
  })
  const relayed =
    stdio === 'pipe' &&
    Promise.all([
      relayLines(worker.stdout, process.stdout, name, exited),
      relayLines(worker.stderr, process.stderr, name, exited),
    ])
  return {
    id,
    pid: FIRST_PID + worker.threadId,
    wire: new PortWire(port1),
    exited: relayed ? exited.then(exit => relayed.then(() => exit)) : exited,
    kill(signal = 'SIGKILL') {
      killed ??= signal
      void worker.terminate()
    },
  }
}

/**
 * Without `execArgv` a worker inherits the parent's flags. Node then passes them on by itself, and accepts more flags than in an
 * explicit list. But `--input-type` says how to read the parent's script, and would make a thread refuse its file.
 */
function execArgvOption(given: readonly string[] | undefined): { execArgv?: string[] } {
  if (given) return { execArgv: [...given] }
  const passed = process.execArgv.filter(flag => !flag.startsWith('--input-type'))
  return passed.length < process.execArgv.length ? { execArgv: passed } : {}
}

/** NODE_OPTIONS without that same flag. Where nothing must go they stay away: Node accepts more flags in its own than in others. */
function inheritedOptions(): { NODE_OPTIONS?: string } {
  const own = process.env.NODE_OPTIONS ?? ''
  const passed = own.replace(/(^|\s)--input-type(=|\s+)\S+/g, '')
  return passed === own ? {} : { NODE_OPTIONS: passed }
}

/** The channel is made when one of its tickets is first used: an open port is never garbage, but a Pipe that nobody used may be. */
function pair(): [Ticket, Ticket] {
  let made: MessageChannel | undefined
  const channel = () => {
    made ??= new MessageChannel()
    return made
  }
  return [ticket(() => channel().port1), ticket(() => channel().port2)]
}

function ticket(port: () => MessagePort): Ticket {
  return {
    get value() {
      return port()
    },
    get transfer() {
      return [port()]
    },
  }
}

function open(value: unknown): PortWire {
  if (!(value instanceof MessagePort)) throw new TypeError('a ticket of worker-threads is a MessagePort')
  return new PortWire(value)
}
