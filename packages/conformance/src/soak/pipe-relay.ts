import * as targets from '../targets-soak-others.js'
import { linesOf } from './lines.js'
import { type Actor, type Ending, isKill, order, type Stage, within } from './stage.js'

/** Those who had one end of the pipe, one after the other. */
interface Side {
  readonly name: string
  readonly logs: string[]
  actor: Actor
}

/**
 * Two talk over a pipe, in both directions, while its ends move on to others; then one of them ends. Each direction must have kept its
 * order, without a gap.
 */
export async function pipeRelay(stage: Stage): Promise<void> {
  const { random, api } = stage
  const filling = random.pick([0, 100, 5_000])
  const [first, second] = api.Pipe<number | string>() as [targets.Numbers, targets.Numbers]
  const start = async (side: { name: string; logs: string[] }, baton: targets.Baton): Promise<Actor> => {
    const path = stage.file()
    side.logs.push(path)
    const name = `${side.name} ${side.logs.length}`
    return stage.start(name, targets.talk, orders => [baton.end, path, orders, baton.next, filling], random.chance(0.2))
  }
  const begin = async (name: string, end: targets.Numbers): Promise<Side> => {
    const logs: string[] = []
    return { name, logs, actor: await start({ name, logs }, { end, next: 0 }) }
  }
  const sides = await Promise.all([begin('left', first), begin('right', second)])
  for (let i = random.whole(0, 4); i > 0; i--) {
    await stage.pause(random.pick([2, 30, 100]))
    // Both at once is a case of its own.
    const passing = random.chance(0.3) ? sides : [random.pick(sides)]
    await Promise.all(passing.map(side => pass(stage, side, baton => start(side, baton))))
  }
  await stage.pause(random.pick([2, 50, 150]))
  const [loser, winner] = random.chance(0.5) ? sides : [sides[1] as Side, sides[0] as Side]
  const ending: Ending = loser.actor.here ? 'return' : stage.ending()
  await loser.actor.end(ending)
  // One who runs in this context does not end with its target.
  if (loser.actor.here) await winner.actor.end('return')
  else if ((await within(winner.actor.outcome, `the end of file at ${winner.name}`)) !== 'the end') {
    stage.violation(`${winner.actor.name} did not see the end of file`)
  }
  await winner.actor.end('return')
  const killed = isKill(loser.actor.ending)
  settle(stage, loser, winner, { senderKilled: killed, receiverEnded: loser.actor.here })
  settle(stage, winner, loser, { senderKilled: false, receiverEnded: true })
}

async function pass(stage: Stage, side: Side, start: (baton: targets.Baton) => Promise<Actor>): Promise<void> {
  const { actor } = side
  stage.event(`${actor.name} passes its end on`)
  stage.tally.count('moves')
  await order(actor.orders, 'pass')
  const baton = (await within(actor.orders.recv(), `the end from ${actor.name}`)) as targets.Baton
  side.actor = await start(baton)
  await actor.end('return')
}

/** `receiverEnded`: it has not read to the end of file. */
function settle(
  stage: Stage,
  sender: Side,
  receiver: Side,
  { senderKilled, receiverEnded }: { senderKilled: boolean; receiverEnded: boolean },
): void {
  const came = receiver.logs.flatMap(path =>
    linesOf(path)
      .filter(line => !line.startsWith('>'))
      .map(Number),
  )
  stage.tally.count('messages', came.length)
  const wrong = came.findIndex((number, index) => number !== index)
  if (wrong >= 0) {
    const where = came.indexOf(wrong)
    const later = where < 0 ? 'which never came' : `which came at ${where}`
    stage.violation(`${came[wrong]} came from ${sender.name} in place of ${wrong}, ${later}`)
  }
  if (receiverEnded) return
  // What was sent before the end moved on has not been lost with who was killed later.
  const logs = senderKilled ? sender.logs.slice(0, -1) : sender.logs
  const resolved = Math.max(
    0,
    ...logs
      .flatMap(linesOf)
      .filter(line => line.startsWith('>'))
      .map(line => Number(line.slice(2))),
  )
  if (came.length < resolved) stage.violation(`${came.length} of ${resolved} messages came from ${sender.name}`)
}
