import { closeSync, openSync, readSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes at the head of a file. The first ones are random, so that another process can tell that it has the right file. */
export const HEAD = 64
const NONCE = 16

/** A small file in memory. It has no name: other processes reach it through a descriptor of this process. */
export interface MemoryFile {
  readonly file: number
  /** Its first bytes, in hexadecimal digits. */
  readonly nonce: string
}

/** Makes a file with `size` zeros behind its head. Undefined if the system has no such files. */
export function makeMemoryFile(size: number): MemoryFile | undefined {
  if (process.platform !== 'linux') return undefined
  // Not imported: most children make no file, and to load this takes them milliseconds.
  const { randomBytes } = process.getBuiltinModule('node:crypto')
  const { tmpdir } = process.getBuiltinModule('node:os')
  for (const folder of ['/dev/shm', tmpdir()]) {
    const path = join(folder, `mp-board-${randomBytes(12).toString('hex')}`)
    let file: number
    try {
      file = openSync(path, 'wx+', 0o600)
    } catch {
      continue
    }
    unlinkSync(path)
    const nonce = randomBytes(NONCE)
    const bytes = new Uint8Array(HEAD + size)
    bytes.set(nonce)
    writeSync(file, bytes, 0, bytes.length, 0)
    return { file, nonce: nonce.toString('hex') }
  }
  return undefined
}

/** Opens the file that process `pid` has open as `descriptor`. Undefined if that is another file by now, or out of reach. */
export function openMemoryFile(pid: string, descriptor: string, nonce: string): number | undefined {
  let file: number | undefined
  try {
    const path = `/proc/${pid}/fd/${descriptor}`
    // The number may mean something else by now. Opening what is not a file could block, or have effects.
    if (!statSync(path).isFile()) return undefined
    file = openSync(path, 'r+')
    if (hasNonce(file, nonce)) return file
  } catch {
    // Another user, or another namespace.
  }
  if (file !== undefined) closeSync(file)
  return undefined
}

/** Whether the descriptor is one of the file that begins with `nonce`. */
export function hasNonce(file: number, nonce: string): boolean {
  try {
    const found = Buffer.alloc(NONCE)
    return readSync(file, found, 0, NONCE, 0) === NONCE && found.toString('hex') === nonce
  } catch {
    return false
  }
}
