import { readSync } from 'node:fs'
import { DESCRIPTORS, pause } from '@mp/child-process/spi'
import type { Wire } from '@mp/core/spi'

/**
 * A child gets the program's secret as the first frame of the wire to its parent. Its environment would show it to whoever reads
 * /proc/<pid>/environ, as long as the child lives: what is deleted from `process.env` stays there. Where there are no
 * descriptors, a child cannot read before its event loop turns: there the environment has it.
 */
export const SECRET_BY_WIRE = DESCRIPTORS
const HEADER = 4
const LENGTH = 16

export function sendSecret(secret: Buffer, child: Wire): void {
  if (SECRET_BY_WIRE) child.send(Uint8Array.from(secret))
}

/** Reads the secret. To be called before the descriptor is made a wire. Blocks: the parent sends it right after the start. */
export function readSecret(fd: number): Buffer | undefined {
  if (!SECRET_BY_WIRE) return undefined
  const bytes = Buffer.alloc(HEADER + LENGTH)
  for (let filled = 0; filled < bytes.length; ) {
    const length = readSome(fd, bytes.subarray(filled))
    // The parent has ended.
    if (length === 0) process.exit(1)
    filled += length
  }
  return bytes.subarray(HEADER)
}

function readSome(fd: number, room: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, room)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return 0
      pause()
    }
  }
}
