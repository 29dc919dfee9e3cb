import { lstatSync } from 'node:fs'
import type { Server } from 'node:net'
import { PipeWire } from '@mp/child-process/spi'
import type { Listening, Network, NetworkWire } from '@mp/core/spi'
import { checkAddress, flushBriefly, freshPlace, listenAt, placeAt, remove, removeAtExit } from './address.js'

/**
 * Bytes that a frame may have before its sender is authenticated, and bytes that may come beside a frame. Core sends no more than
 * a megabyte beside one.
 */
const LIMITS = { longest: 256, mostBeside: 4 * 1024 * 1024 }

/**
 * Unix sockets, to which a program of this host can connect if the file's mode allows it and it has the key. On Windows named
 * pipes, for programs of the same user.
 */
export const network: Network = Object.freeze({ listen, dial })

async function listen(given: string | undefined, accept: (wire: NetworkWire) => void): Promise<Listening> {
  const { address, leftover } = given === undefined ? freshPlace('listener') : placeAt(given)
  let server: Server
  try {
    server = await bind(address, accept)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || !leftover || !(await isStale(leftover))) throw error
    remove(leftover)
    server = await bind(address, accept)
  }
  removeAtExit(leftover)
  return {
    address,
    async [Symbol.asyncDispose]() {
      await new Promise(resolve => server.close(resolve))
      remove(leftover)
    },
  }
}

function bind(address: string, accept: (wire: NetworkWire) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = listenAt(address, LIMITS, 'briefly', accept, reject)
    if (server.listening) resolve(server)
  })
}

/** Whether the file is a socket at which nobody listens, because its listener was killed. Any other file must stay. */
async function isStale(address: string): Promise<boolean> {
  const before = socketAt(address)
  if (before === undefined) return false
  const { connect } = process.getBuiltinModule('node:net')
  const refused = await new Promise<boolean>(resolve => {
    const probe = connect(address)
    probe.on('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
  // Another program may have put a new socket there meanwhile.
  return refused && socketAt(address) === before
}

/** The inode of the socket; undefined where there is none. */
function socketAt(address: string): number | undefined {
  const found = lstatSync(address, { throwIfNoEntry: false })
  return found?.isSocket() ? found.ino : undefined
}

function dial(address: string): NetworkWire {
  checkAddress(address)
  const wire = new PipeWire({ path: address }, false, LIMITS)
  flushBriefly(wire)
  return wire
}
