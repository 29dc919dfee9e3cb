import { spawn as spawnProcess } from 'node:child_process'
import { on, once } from 'node:events'
import { connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { relayLines } from '@mp/core/spi'
import { SocketWire } from './wire.js'

/** The child's descriptors: of its wire, and of what comes to its end with the parent. */
export const WIRE = 3
export const LIFELINE = 4

const boot = fileURLToPath(new URL('./boot.js', import.meta.url))
const bootDaemon = fileURLToPath(new URL('./boot-daemon.js', import.meta.url))

const capabilities = Object.freeze({
  reach: 'process',
  isolation: 'process',
  sync: false,
  network: false,
  sharedMemory: false,
  attachments: false,
})

export const transport = Object.freeze({ name: 'tcp', capabilities, spawn })

/** Returns at once, as it must: the sockets, and the process, come a moment later. */
function spawn({ id, name, daemon, env, execArgv, cwd, stdio = 'inherit', resourceLimits }) {
  const wire = new SocketWire()
  let child
  let killedBy
  const exited = start().catch(error => {
    wire.fail(error)
    return { code: null, signal: null, error }
  })

  async function start() {
    const [mine, theirs] = await socketPair()
    if (killedBy) {
      mine.destroy()
      theirs.destroy()
      wire.fail()
      return { code: null, signal: killedBy }
    }
    const flags = [...execArgv, ...limitingFlags(resourceLimits)]
    child = spawnProcess(process.execPath, [...flags, daemon ? bootDaemon : boot, ...process.argv.slice(2)], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', stdio, stdio, theirs, ...(daemon ? ['pipe'] : [])],
    })
    // Core keeps the event loop alive for the children that are waited for.
    child.unref()
    child.stdio[LIFELINE]?.on('error', () => {}).unref()
    // The child has a descriptor of its own.
    theirs.destroy()
    wire.attach(mine)
    const ended = once(child, 'exit')
    // From the start: Node drops what nobody listens to.
    const output = stdio === 'pipe' && relayOutput(child, name, ended)
    const [code, signal] = await ended
    await output
    child.stdio[LIFELINE]?.destroy()
    return { code, signal }
  }

  return {
    id,
    wire,
    exited,
    kill(signal = 'SIGKILL') {
      killedBy ??= signal
      child?.kill(signal)
    },
  }
}

/** What a process has of the limits of threads. */
function limitingFlags({ maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, stackSizeMb: stack } = {}) {
  return [
    ...(old === undefined ? [] : [`--max-old-space-size=${Math.ceil(old)}`]),
    ...(young === undefined ? [] : [`--max-semi-space-size=${Math.ceil(young / 3)}`]),
    ...(stack === undefined ? [] : [`--stack-size=${Math.ceil(stack * 1024)}`]),
  ]
}

/** Fulfils when all is written, or a second after the end, if a process that the child left behind holds its output open. */
async function relayOutput({ stdout, stderr }, name, ended) {
  for (const stream of [stdout, stderr]) stream.unref()
  await Promise.all([relayLines(stdout, process.stdout, name, ended), relayLines(stderr, process.stderr, name, ended)])
}

/** Two ends of a connection within this machine. The listener takes our own connection, and is gone. */
async function socketPair() {
  // Paused: not a byte that is for the child is read here.
  const server = createServer({ pauseOnConnect: true, noDelay: true })
  const connections = on(server, 'connection')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const mine = connect({ port: server.address().port, host: '127.0.0.1', noDelay: true })
  await once(mine, 'connect')
  for await (const [theirs] of connections) {
    if (theirs.remotePort !== mine.localPort) {
      theirs.destroy()
      continue
    }
    server.close()
    return [mine, theirs]
  }
}
