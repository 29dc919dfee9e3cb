import { lstatSync } from 'node:fs'
import type { Server } from 'node:net'
import { PipeWire } from '@mp/child-process/spi'
import type { Listening, Network, NetworkWire } from '@mp/core/spi'
import { checkAddress, flushBriefly, freshPlace, listenAt, placeAt, remove, removeAtExit } from './address.js'

/** Bytes that a frame may have before its sender has shown who he is. */
const LONGEST_STRANGE = 256

/**
 * Unix sockets where any program of this host that may, by the file's mode, and has the key, can connect; on Windows named pipes,
 * for programs of the same user.
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
    const server = listenAt(address, LONGEST_STRANGE, 'briefly', accept, reject)
    if (server.listening) resolve(server)
  })
}

/** A socket that nobody listens at: its listener was killed. Any other file stays where it is. */
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
  // Somebody else may have put a new one there meanwhile.
  return refused && socketAt(address) === before
}

/** Which file it is; undefined where it is no socket. */
function socketAt(address: string): number | undefined {
  const found = lstatSync(address, { throwIfNoEntry: false })
  return found?.isSocket() ? found.ino : undefined
}

function dial(address: string): NetworkWire {
  checkAddress(address)
  const wire = new PipeWire({ path: address }, false, LONGEST_STRANGE)
  flushBriefly(wire)
  return wire
}
