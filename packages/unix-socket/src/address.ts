import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { type PipeHandle, PipeWire } from '@mp/child-process/spi'
import { MpError } from '@mp/core/spi'

/** Windows has named pipes instead of sockets in the file system: no directory to keep others out, and nothing to remove. */
const NAMED_PIPES = process.platform === 'win32'
/** Both are the system's; the second is for what it shall not change. */
const PIPE_NAME = /^\\\\[.?]\\pipe\\[^\\]+$/i
/** Characters. */
const LONGEST_PIPE_NAME = 256
/** Bytes that a socket's path may have; Node cuts what is longer, and would listen somewhere else. */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103
/** Bytes for the name of a socket in a directory of ours. */
const NAME = 20

/** Throws for what is no path of a socket, or no name of a pipe. */
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

/** Where to listen, and what stays of that in the file system when nobody does any more. */
export interface Place {
  readonly address: string
  readonly leftover: string | undefined
}

/** A user's. Throws for what is no path of a socket, or no name of a pipe. */
export function placeAt(address: string): Place {
  checkAddress(address)
  // The working directory may be another one when it is removed.
  return { address, leftover: NAMED_PIPES ? undefined : resolve(address) }
}

/** A new place that only this user can come to: a directory of its own, or a name that nobody guesses. It goes with this process. */
export function freshPlace(name: string): Place {
  if (NAMED_PIPES) return namedPipe()
  const base = Buffer.byteLength(tmpdir()) + NAME * 2 > LONGEST_PATH ? '/tmp' : tmpdir()
  const directory = mkdtempSync(join(base, 'mp-'))
  removeAtExit(directory)
  return { address: join(directory, name), leftover: directory }
}

/** Another one, as safe as that. */
export function placeBeside(address: string): Place {
  if (NAMED_PIPES) return namedPipe()
  const path = join(dirname(address), randomName())
  removeAtExit(path)
  return { address: path, leftover: path }
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

/** The directory of our own that `address` lies in, one of `freshPlace`. */
export function directoryOf(address: string): string | undefined {
  return NAMED_PIPES ? undefined : dirname(address)
}

const leftovers = new Set<string>()

export function removeAtExit(path: string | undefined): void {
  if (path === undefined) return
  if (leftovers.size === 0) process.on('exit', removeLeftovers)
  leftovers.add(path)
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
      // Another user's by now, or gone: nothing to be done at an exit.
    }
  }
}

/** How long a main program that exits waits, in all, for others to read what it sent them, ms. */
const BRIEFLY = 1000

const flushed = new Set<PipeWire>()

/** In the main program, where nobody shall wait long for a child that does not read: it may be a daemon. */
export function flushBriefly(wire: PipeWire): void {
  if (flushed.size === 0) process.on('exit', flush)
  flushed.add(wire)
  void wire.ended.then(() => {
    flushed.delete(wire)
    if (flushed.size === 0) process.off('exit', flush)
  })
}

function flush(): void {
  const deadline = performance.now() + BRIEFLY
  for (const wire of flushed) wire.exit(Math.max(0, deadline - performance.now()))
}

/** Connections that the kernel holds until they are accepted. */
const BACKLOG = 1024

/**
 * Listens at an address that only this user may connect to. The socket is there when this returns, or `failed` is called. Each
 * connection becomes a wire that takes frames of `longest` bytes until it is trusted.
 */
export function listenAt(
  address: string,
  longest: number,
  flushAtExit: 'briefly' | 'patiently',
  accept: (wire: PipeWire) => void,
  failed: (error: Error) => void,
): Server {
  const { createServer } = process.getBuiltinModule('node:net')
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
  server.on('connection', (socket: Socket & { _handle: PipeHandle | null }) => {
    const handle = socket._handle
    if (!handle) return
    // The stream that Node made would copy, and buffer, what comes.
    socket._handle = null
    socket.destroy()
    const wire = new PipeWire({ handle }, flushAtExit === 'patiently', longest)
    if (flushAtExit === 'briefly') flushBriefly(wire)
    accept(wire)
  })
  // Also later, where a connection could not be accepted for want of descriptors: that one is lost, the others are not.
  server.on('error', failed)
  server.listen({ path: address, backlog: BACKLOG })
  server.unref()
  // A named pipe lets nobody else write as it is.
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
