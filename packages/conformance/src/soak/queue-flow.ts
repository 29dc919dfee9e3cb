import type { Connection, Queue } from '@mp/core'
import * as targets from '../targets-soak.js'
import { turns } from '../turns.js'
import { type ConsumerHistory, type ProducerHistory, settle, type Taken } from './account.js'
import { linesOf } from './lines.js'
import { type Actor, type Ending, isKill, order, type Stage, within } from './stage.js'

interface Producer {
  readonly index: number
  readonly actor: Actor
  readonly path: string
}

interface Consumer {
  readonly actor: Actor
  readonly path: string
  readonly appetite: targets.Appetite
}

/** What the whole scene keeps to. */
interface Flow {
  readonly maxsize: number
  readonly filling: number
  readonly large: boolean
  /** How many were started so far. */
  producers: number
  consumers: number
}

/**
 * Producers and consumers share a queue while some of them end, in all ways, and others come instead; perhaps its home ends, too.
 * When all have ended the rest is taken, and the account must be right.
 */
export async function queueFlow(stage: Stage): Promise<void> {
  const { random, api, setting } = stage
  const large = random.chance(0.15)
  const flow: Flow = {
    maxsize: random.pick([0, 0, 1, 7, 100, 1000]),
    filling: large ? 200_000 : random.pick([0, 0, 20, 500, 20_000]),
    large,
    producers: 0,
    consumers: 0,
  }
  const homeEnding: Ending | undefined = random.chance(0.3)
    ? stage.ending(['return', 'return', 'return', 'exit', 'kill'])
    : undefined
  stage.event(
    `queue of ${flow.maxsize}, fillings up to ${flow.filling}${homeEnding ? `, home ends by ${homeEnding}` : ''}`,
  )
  const producers: Producer[] = []
  const consumers: Consumer[] = []
  const home = homeEnding && (await startHome(stage, flow))
  const queue = home?.queue ?? new api.Queue<targets.SoakItem>(flow.maxsize)
  const produce = () => stage.background(startProducer(stage, queue, flow, producers))
  const consume = () => stage.background(startConsumer(stage, queue, flow, consumers))
  for (let i = random.whole(1, 3); i > 0; i--) produce()
  for (let i = random.whole(1, 3); i > 0; i--) consume()
  await stage.settled()

  const events = random.whole(2, 7)
  const homeEnds = random.whole(0, events - 1)
  let homeHasEnded = false
  for (let i = 0; i < events; i++) {
    await stage.pause(random.pick([2, 20, 150]))
    if (home && i === homeEnds) {
      await endHome(stage, home.actor, homeEnding as Ending)
      homeHasEnded = true
      if (isKill(homeEnding)) break
      continue
    }
    const event = random.next()
    const ending = stage.ending()
    if (event < 0.6) await endOne(stage, random.pick(consumers).actor, ending, consume)
    else if (event < 0.8) await endOne(stage, random.pick(producers).actor, ending, produce)
    else if (event < 0.9) await close(random.pick(consumers).actor)
    else consume()
    if (random.chance(0.5)) await stage.settled()
  }
  await stage.settled()
  for (const { actor } of producers) if (!actor.ending) await actor.end('return')
  for (const { actor } of consumers) if (!actor.ending) await actor.end(stage.ending())
  if (home && !homeHasEnded) await endHome(stage, home.actor, homeEnding as Ending)

  const homeKilled = isKill(homeEnding)
  const rest = homeKilled ? [] : await stage.tally.timed('drain', restOf(queue))
  await queue.close()
  const { items, inHand, late, violations } = settle({
    producers: producers.sort((a, b) => a.index - b.index).map(historyOfProducer),
    consumers: [
      ...consumers.map(each => historyOfConsumer(stage, each)),
      { name: 'the main program', taken: rest, abreast: 1, firm: false, killed: false },
    ],
    native: setting.transport.engines?.queue !== undefined,
    homeKilled,
  })
  stage.tally.count('items', items)
  stage.tally.count('inHand', inHand)
  stage.tally.count('late', late)
  for (const violation of violations.slice(0, 10)) stage.violation(violation)
  for (const { actor } of [...producers, ...consumers]) {
    if (!homeKilled && (await actor.outcome) === 'shut down') stage.violation(`${actor.name} found the queue shut down`)
  }
}

async function startHome(stage: Stage, { maxsize }: Flow) {
  const [near, far] = stage.api.Pipe<never, Queue<targets.SoakItem>>()
  const args = (orders: targets.Orders) => [maxsize, stage.setting.module, orders, far]
  const actor = await stage.start('home', targets.keepQueue, args)
  const queue = await within((near as Connection<never, Queue<targets.SoakItem>>).recv(), 'the queue')
  await near.close()
  return { actor, queue }
}

async function endHome(stage: Stage, home: Actor, ending: Ending): Promise<void> {
  stage.tally.count('moves')
  await home.end(ending)
}

/** Closes the queue there. Here it is the one that everybody uses. */
async function close({ here, ending, orders }: Actor): Promise<void> {
  if (!here && !ending) await order(orders, 'close')
}

async function endOne(stage: Stage, actor: Actor, ending: Ending, replace: () => void): Promise<void> {
  if (actor.ending) return
  await actor.end(ending)
  if (stage.random.chance(0.7)) replace()
}

async function startProducer(stage: Stage, queue: Queue<targets.SoakItem>, flow: Flow, producers: Producer[]) {
  const { random } = stage
  const path = stage.file()
  const index = flow.producers++
  const pace: targets.Pace = {
    count: flow.large ? random.whole(10, 60) : random.whole(50, flow.filling > 1000 ? 400 : 8_000),
    burst: random.pick([1, 1, 8, 64]),
    pause: random.pick([0, 1, 5]),
    flushEvery: random.pick([0, 4, 32]),
    limit: random.chance(0.25) ? random.pick([0, 1, 10]) : undefined,
    filling: flow.filling,
    large: flow.large,
  }
  const name = `producer ${index}`
  stage.event(`${name}: ${JSON.stringify(pace)}`)
  const args = (orders: targets.Orders) => [queue, path, orders, index, pace]
  producers.push({ index, path, actor: await stage.start(name, targets.produce, args, random.chance(0.2)) })
}

async function startConsumer(stage: Stage, queue: Queue<targets.SoakItem>, flow: Flow, consumers: Consumer[]) {
  const { random } = stage
  const path = stage.file()
  const appetite: targets.Appetite = {
    // A large buffer exists once. It is lost with a consumer that is killed while it goes back from a call that gave up.
    how: flow.large ? 'firm' : random.pick(['firm', 'firm', 'timeout', 'signal', 'nowait']),
    abreast: random.pick([1, 1, 1, 4]),
    ms: random.pick([1, 3, 20]),
    work: random.pick([0, 0, 1, 15]),
  }
  const name = `consumer ${flow.consumers++}`
  stage.event(`${name}: ${JSON.stringify(appetite)}`)
  const args = (orders: targets.Orders) => [queue, path, orders, appetite]
  if (random.chance(0.15)) {
    stage.tally.count('moves')
    const more = (orders: targets.Orders) => [...args(orders), stage.setting.module]
    consumers.push({ path, appetite, actor: await stage.start(`${name}, handed on`, targets.handOn, more) })
  } else {
    const here = random.chance(0.15)
    consumers.push({ path, appetite, actor: await stage.start(name, targets.consume, args, here) })
  }
}

/** All that is left when nobody else puts or takes. */
async function restOf(queue: Queue<targets.SoakItem>): Promise<Taken[]> {
  const rest: Taken[] = []
  for (;;) {
    try {
      const [producer, sequence] = await within(queue.getNowait(), 'a get')
      rest.push({ producer, sequence })
    } catch (error) {
      if (targets.codeOf(error) !== 'MP_EMPTY') throw error
      if (await within(queue.empty(), 'empty()')) return rest
      await turns(1)
    }
  }
}

function historyOfProducer({ actor, path }: Producer): ProducerHistory {
  let resolved = 0
  let flushed = 0
  for (const line of linesOf(path)) {
    if (line === 'flushed') flushed = resolved
    else resolved = Number(line)
  }
  return { resolved, flushed, killed: isKill(actor.ending) }
}

function historyOfConsumer(stage: Stage, { actor, path, appetite }: Consumer): ConsumerHistory {
  const { how, abreast } = appetite
  const taken: Taken[] = []
  for (const line of linesOf(path)) {
    const [producer, sequence, torn] = line.split(' ')
    if (torn) stage.violation(`item ${producer}:${sequence} came torn to ${actor.name}`)
    taken.push({ producer: Number(producer), sequence: Number(sequence) })
  }
  return { name: actor.name, taken, abreast, firm: how === 'firm', killed: isKill(actor.ending) }
}
