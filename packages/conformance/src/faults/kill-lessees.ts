import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BoundContext } from '@mp/core'
import { type Kill, killLessee } from '../kill-lessee.js'
import { tell } from './usage.js'

/** Kills consumers that hold items ahead of their calls, at random moments, and tells what became of the items. */
export async function killLessees(api: BoundContext, kills: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mp-faults-'))
  const all: Kill[] = []
  try {
    for (let i = 0; i < kills; i++) {
      all.push(await killLessee(api, join(folder, `log-${i}`), i % 3 === 2 ? 50 : 0, Math.random() * 12))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const sum = (of: (kill: Kill) => number) => all.reduce((total, kill) => total + of(kill), 0)
  tell(
    `${kills} consumers killed under a lease; of ${sum(({ put }) => put)} items their programs were given ` +
      `${sum(({ given }) => given)}, others ${sum(({ rest }) => rest)}; ${sum(({ claimed }) => claimed)} were claimed and not yet ` +
      'seen, 0 lost otherwise, 0 doubled, 0 out of order',
  )
}
