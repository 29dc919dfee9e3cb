import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { type PipeHandle, PipeWire } from '@mp/child-process/spi'
import { MpError } from '@mp/core/spi'
import { removeAfterwards } from './remover.js'
import { sweep } from './sweep.js'

/** Windows has named pipes instead of sockets in the file system: no directory to keep others out, and nothing to remove. */
const NAMED_PIPES = process.platform === 'win32'
/** Windows knows both prefixes, `\\.\` and `\\?\`; it does not normalise what follows the second. */
const PIPE_NAME = /^\\\\[.?]\\pipe\\[^\\]+$/i
/** Characters. */
const LONGEST_PIPE_NAME = 256
/** Bytes that a socket's path may have. Node cuts a longer one, and would listen at another path. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103
const RANDOM_NAME = /^[0-9a-f]{12}$/
/** Bytes for the name of a socket in a directory of ours. */
const NAME = 20

/** Throws a RangeError for an address that cannot be a socket's path, or a pipe's name. */
export function checkAddress(address: string): void {
  if (NAMED_PIPES) checkPipeName(address)
  else checkPath(address)
}

function checkPipeName(address: string): void {
  if (PIPE_NAME.test(address) && address.length <= LONGEST_PIPE_NAME) return
  throw new RangeError(
    `an address is the name of a pipe, \\\\.\\pipe\\NAME, of ${LONGEST_PIPE_NAME} characters at most, and this is ${address}`,
  )
}

function checkPath(address: string): void {
  if (address === '' || address.includes('\0')) {
    throw new RangeError('an address is the path of a socket in the file system')
  }
  const length = Buffer.byteLength(address)
  if (length <= LONGEST_PATH) return
  throw new RangeError(`the path of a socket may have ${LONGEST_PATH} bytes, and this one has ${length}: ${address}`)
}

/** Where to listen, and what stays in the file system when nobody listens there any more. */
export interface Place {
  readonly address: string
  readonly leftover: string | undefined
}

/** The place of an address that the user gave. Throws as `checkAddress` does. */
export function placeAt(address: string): Place {
  checkAddress(address)
  // Absolute: the working directory may have changed by the time the socket is removed.
  return { address, leftover: NAMED_PIPES ? undefined : resolve(address) }
}

/** Absolute: children may have another working directory. */
function baseDirectory(): string {
  const base = resolve(tmpdir())
  return Buffer.byteLength(base) + NAME * 2 > LONGEST_PATH ? '/tmp' : base
}

/** Removes, in the background, what killed programs have left where this one has its directory. */
export function sweepLeftovers(): void {
  if (!NAMED_PIPES) sweep(baseDirectory()).catch(() => {})
}

/** A new place that only this user can reach: in a directory of its own, or a name that nobody can guess. Removed at exit. */
export function freshPlace(name: string): Place {
  if (NAMED_PIPES) return namedPipe()
  const base = baseDirectory()
  const directory = mkdtempSync(join(base, 'mp-'))
  removeAtExit(directory)
  removeAfterwards(directory)
  return { address: join(directory, name), leftover: directory }
}

/** Another place, in the same directory, as safe as `address`. Removed at exit. */
export function placeBeside(address: string): Place {
  if (NAMED_PIPES) return namedPipe()
  const path = join(dirname(address), randomName())
  removeAtExit(path)
  return { address: path, leftover: path }
}

/** Whether `path` can be what `placeBeside(address)` gave. */
export function isBeside(path: string, address: string): boolean {
  return !NAMED_PIPES && dirname(path) === dirname(address) && RANDOM_NAME.test(basename(path))
}

function namedPipe(): Place {
  return { address: `\\\\.\\pipe\\mp-${randomName()}`, leftover: undefined }
}

function randomName(): string {
  return process
    .getBuiltinModule('node:crypto')
    .randomBytes(NAMED_PIPES ? 16 : 6)
    .toString('hex')
}

/** The directory that `freshPlace` made for `address`. */
export function directoryOf(address: string): string | undefined {
  return NAMED_PIPES ? undefined : dirname(address)
}

const leftovers = new Set<string>()

export function removeAtExit(path: string | undefined): void {
  if (path === undefined) return
  if (leftovers.size === 0) process.on('exit', removeLeftovers)
  leftovers.add(path)
}

/** Has `act` called at exit, after all handlers that are there now, and before anything is removed. */
export function beforeRemoval(act: () => void): void {
  for (const handler of leftovers.size > 0 ? [act, removeLeftovers] : [act]) {
    process.off('exit', handler)
    process.on('exit', handler)
  }
}

export function remove(path: string | undefined): void {
  if (path === undefined) return
  leftovers.delete(path)
  if (leftovers.size === 0) process.off('exit', removeLeftovers)
  rmSync(path, { recursive: true, force: true })
}

function removeLeftovers(): void {
  for (const path of leftovers) {
    try {
      rmSync(path, { recursive: true, force: true })
    } catch {
      // It is gone, or belongs to another user by now: an exit cannot do more.
    }
  }
}

/** ms that a main program waits at its exit, in all, for others to read what it sent them. */
const BRIEFLY = 1000

const flushed = new Set<PipeWire>()
/** When this process stops to wait for others, once it exits. */
let deadline: number | undefined

export function exitDeadline(): number {
  deadline ??= performance.now() + BRIEFLY
  return deadline
}

/** For the main program: its exit must not wait long for a child that does not read, which may be a daemon. */
export function flushBriefly(wire: PipeWire): void {
  if (flushed.size === 0) process.on('exit', flush)
  flushed.add(wire)
  if (deadline !== undefined) wire.exit(left())
  void wire.ended.then(() => {
    flushed.delete(wire)
    if (flushed.size === 0) process.off('exit', flush)
  })
}

function flush(): void {
  for (const wire of flushed) wire.exit(left())
}

function left(): number {
  return Math.max(0, exitDeadline() - performance.now())
}

/** Connections that the kernel holds until they are accepted. */
const BACKLOG = 1024

/**
 * Listens at an address that only this user may connect to. The socket exists when this returns; otherwise `failed` is called.
 * Each connection becomes a wire that takes frames of at most `limits.longest` bytes until it is trusted.
 */
export function listenAt(
  address: string,
  limits: { readonly longest: number; readonly mostBeside?: number },
  flushAtExit: 'briefly' | 'patiently',
  accept: (wire: PipeWire) => void,
  failed: (error: Error) => void,
): Server {
  const { createServer } = process.getBuiltinModule('node:net')
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
  server.on('connection', (socket: Socket & { _handle: PipeHandle | null }) => {
    const handle = socket._handle
    if (!handle) return
    // The wire takes the handle from Node's stream, which would copy and buffer what comes.
    socket._handle = null
    socket.destroy()
    const wire = new PipeWire({ handle }, flushAtExit === 'patiently', limits)
    if (flushAtExit === 'briefly') flushBriefly(wire)
    accept(wire)
  })
  // Also called later, when there is no descriptor for a connection: that one is lost, the others are not.
  server.on('error', failed)
  // Exclusive: in a worker of node:cluster the primary would listen otherwise, for all its workers.
  server.listen({ path: address, backlog: BACKLOG, exclusive: true })
  server.unref()
  // A named pipe needs no mode: by default other users cannot write to it.
  if (server.listening && !NAMED_PIPES) {
    try {
      chmodSync(address, 0o600)
    } catch (error) {
      server.close()
      throw new MpError('MP_INVALID_STATE', `the socket ${address} could not be kept to this user`, { cause: error })
    }
  }
  return server
}
