import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** What `freshPlace` names its directories, and contexts their sockets. */
const DIRECTORY = /^mp-[A-Za-z0-9]{6}$/
const SOCKET = /^(rendezvous|listener|[0-9a-f]{12})$/
/** ms. A directory that is younger may belong to a program that does not listen yet. */
const YOUNGEST = 10_000

/**
 * Removes the directories of programs that were killed, with all their children, so that nobody could do it. It removes only what
 * belongs to this user, looks like such a directory, and has no socket at which anybody listens.
 */
export async function sweep(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    if (!DIRECTORY.test(name)) continue
    const path = join(base, name)
    try {
      if (await isLeft(path)) await rm(path, { recursive: true, force: true })
    } catch {
      // It is gone, or cannot be read. Another program may be sweeping, too.
    }
  }
}

async function isLeft(path: string): Promise<boolean> {
  const found = await lstat(path)
  if (!found.isDirectory() || found.uid !== process.getuid?.() || Date.now() - found.mtimeMs < YOUNGEST) return false
  for (const name of await readdir(path)) {
    const socket = join(path, name)
    if (!SOCKET.test(name) || !(await lstat(socket)).isSocket() || !(await isDeserted(socket))) return false
  }
  return true
}

/** Whether nobody listens at the socket. A process id would prove nothing: another container may share the directory. */
function isDeserted(socket: string): Promise<boolean> {
  const { connect } = process.getBuiltinModule('node:net')
  return new Promise(resolve => {
    const probe = connect(socket)
    probe.unref()
    probe.on('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
}
