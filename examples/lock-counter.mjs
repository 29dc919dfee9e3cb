import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { isMainProcess, Lock, Process } from './transport.mjs'

/** Adds 1 to the number in the file, `count` times; with a lock, one context at a time. */
export async function add(path, count, lock) {
  for (let i = 0; i < count; i++) {
    const guard = await lock?.acquire()
    const number = Number(readFileSync(path, 'utf8'))
    // Without the lock others now read the same number.
    await turn()
    // Always three digits: if two write at once, the file has what one of them wrote.
    writeFileSync(path, String(number + 1).padStart(3))
    await guard?.release()
  }
}

async function count(path, lock) {
  writeFileSync(path, '0')
  const children = [1, 2].map(() => new Process({ target: add, args: [path, 200, lock] }))
  for (const child of children) child.start()
  for (const child of children) await child.join()
  return Number(readFileSync(path, 'utf8'))
}

if (isMainProcess) {
  const folder = mkdtempSync(join(tmpdir(), 'lock-counter-'))
  const path = join(folder, 'count')
  console.log(`without a lock: ${await count(path, undefined)}`)
  console.log(`with a lock: ${await count(path, new Lock())}`)
  rmSync(folder, { recursive: true })
}
