import { existsSync, rmSync } from 'node:fs'
import * as targets from '../targets-soak-others.js'
import { linesOf } from './lines.js'
import { type Actor, isKill, type Stage, within } from './stage.js'

/** Some hold a lock in turn, and end while they do. There is never more than one holder, and the next one always gets it. */
export async function lockHolders(stage: Stage): Promise<void> {
  const { random, api } = stage
  const lock = new api.Lock()
  const owner = stage.file()
  const logs: string[] = []
  const holders: Actor[] = []
  const start = async () => {
    const path = stage.file()
    const grip: targets.Grip = {
      timeout: random.chance(0.3) ? random.pick([0, 1, 10]) : undefined,
      signal: random.chance(0.2) ? random.pick([1, 10]) : undefined,
      ms: random.pick([0, 0, 2, 10]),
    }
    logs.push(path)
    const name = `holder ${logs.length}`
    stage.event(`${name}: ${JSON.stringify(grip)}`)
    holders.push(await stage.start(name, targets.holdOften, orders => [lock, path, orders, owner, grip]))
  }
  await Promise.all(Array.from({ length: random.whole(2, 3) }, start))
  for (let i = random.whole(2, 5); i > 0; i--) {
    await stage.pause(random.pick([5, 50, 100]))
    const [holder] = holders.splice(random.whole(0, holders.length - 1), 1) as [Actor]
    // In one thread a killed holder runs on, and its file would be mistaken for that of the next.
    await holder.end(stage.isolated ? stage.ending() : 'return')
    if (holders.length === 0 || random.chance(0.7)) await start()
  }
  for (const holder of holders) await holder.end('return')
  const guard = await stage.tally.timed('lock', within(lock.acquire(), 'the lock, when nobody else asks'))
  const ended = [...holders].every(({ ending }) => !isKill(ending))
  if (existsSync(owner) && !guard.abandoned && ended)
    stage.violation('the last holder died, and the lock is not abandoned')
  rmSync(owner, { force: true })
  await guard.release()
  await lock.close()
  const lines = logs.flatMap(linesOf)
  stage.tally.count('holds', lines.filter(line => line === 'one').length)
  if (lines.includes('two')) stage.violation('two held the lock at a time')
}
