import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BoundContext } from '@mp/core'
import type { Transport } from '@mp/core/spi'
import { usage } from '../faults/usage.js'
import type { Footprint } from '../garbage.js'
import { eventually } from '../harness.js'
import { holdings, leftBeyond, moreOf } from '../leaks.js'
import { keepTemporaryFilesIn } from '../temporary-files.js'
import { lockHolders } from './lock-holders.js'
import { pipeRelay } from './pipe-relay.js'
import { poolJobs } from './pool-jobs.js'
import { queueFlow } from './queue-flow.js'
import { Random } from './random.js'
import { type Setting, Stage } from './stage.js'
import { Tally } from './tally.js'

export interface SoakOptions {
  readonly transport: Transport
  /** What the transport's package exports. */
  readonly context: BoundContext
  /** What a child imports to have the same API: the URL of the package's built entry. */
  readonly module: URL | string
  /** How long scenes are begun, s; 15 where absent. */
  readonly seconds?: number
  /** The same seed gives the same scenes; random where absent. */
  readonly seed?: number
  /** Plays only this one of the seed's scenes, again and again. */
  readonly scene?: number
}

/** What came of a soak. */
export interface SoakReport {
  readonly seed: number
  readonly violations: readonly string[]
  /** One line with all counts. */
  readonly summary: string
  /** The last 200 events, oldest first. */
  readonly trace: readonly string[]
}

type Scene = (stage: Stage) => Promise<void>

/** One of each is played first, so that everything is loaded before memory is measured. */
const SCENES: readonly Scene[] = [queueFlow, pipeRelay, lockHolders, poolJobs]
const OFTEN: readonly Scene[] = [...SCENES, queueFlow, queueFlow, queueFlow, queueFlow, pipeRelay]

/** Scenes that are played at a time. */
const ABREAST = 2
/** After so many violations the soak ends. */
const ENOUGH = 5
const MIB = 1024 * 1024
/** What may have grown, beside noise. */
const MOST_DESCRIPTORS = 4
const MOST_MEMORY = 24 * MIB

/**
 * Plays scenes of mixed traffic with kills, exits, moves and calls that give up, and settles the account of each. Takes `seconds`
 * and some more until the last scenes are over.
 */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { transport, context, seconds = 15, seed = 1 + Math.floor(Math.random() * 2 ** 31), scene } = options
  const folder = mkdtempSync(join(tmpdir(), 'mp-soak-'))
  const temporary = mkdtempSync(join(folder, 'tmp-'))
  const restore = keepTemporaryFilesIn(temporary)
  const tally = new Tally()
  const setting: Setting = { api: context, transport, module: String(options.module), folder, tally }
  const rejections = (reason: unknown) =>
    tally.violation('a rejection that nobody handles', String((reason as Error)?.stack ?? reason))
  process.on('unhandledRejection', rejections)
  try {
    for (let index = 0; index < SCENES.length; index++) await play(setting, seed, index)
    const before = { usage: await usage(), holdings: holdings(), files: filesIn(temporary) }
    const start = performance.now()
    let next = scene ?? SCENES.length
    const lane = async () => {
      while (performance.now() - start < seconds * 1000 && tally.violations.length < ENOUGH) {
        await play(setting, seed, scene ?? next++)
      }
    }
    await Promise.all(Array.from({ length: ABREAST }, lane))
    const lasted = (performance.now() - start) / 1000
    for (const left of await leftBehind(context, before.holdings)) tally.violation('the end', `left behind: ${left}`)
    for (const file of moreOf(filesIn(temporary), before.files)) tally.violation('the end', `left in TMPDIR: ${file}`)
    const after = await usage()
    checkGrowth(tally, before.usage, after)
    const summary = summarise(transport.name, seed, lasted, tally, before.usage, after)
    return { seed, violations: tally.violations, summary, trace: tally.trace }
  } finally {
    process.off('unhandledRejection', rejections)
    restore()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function play(setting: Setting, seed: number, index: number): Promise<void> {
  const random = Random.of(seed, index)
  const drawn = random.pick(OFTEN)
  const scene = SCENES[index] ?? drawn
  const stage = new Stage(setting, `scene ${index} (${scene.name})`, random)
  setting.tally.count('scenes')
  try {
    await scene(stage)
  } catch (error) {
    stage.violation(String((error as Error)?.stack ?? error))
    await stage.clear()
  }
}

async function leftBehind(api: BoundContext, before: ReturnType<typeof holdings>): Promise<readonly string[]> {
  // Node opens a few when it first needs them.
  const most = { ...before, descriptors: before.descriptors + MOST_DESCRIPTORS }
  await eventually(() => api.activeChildren().length === 0, 'the end of all children').catch(() => {})
  return [...api.activeChildren().map(({ name }) => `the child ${name}`), ...(await leftBeyond(most))]
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(each => !each.isDirectory())
    .map(each => join(each.parentPath, each.name))
}

function checkGrowth(tally: Tally, before: Footprint, after: Footprint): void {
  const descriptors = after.descriptors - before.descriptors
  if (descriptors > MOST_DESCRIPTORS) tally.violation('the end', `${descriptors} descriptors more than before`)
  const memory = after.memory - before.memory
  if (memory > MOST_MEMORY) tally.violation('the end', `${(memory / MIB).toFixed(0)} MiB more than before`)
}

function summarise(
  name: string,
  seed: number,
  seconds: number,
  { counts, longest, violations }: Tally,
  before: Footprint,
  after: Footprint,
): string {
  const waits = [...longest].map(([what, ms]) => `${what} ${ms.toFixed(0)}`).join(', ')
  const mib = ({ memory }: Footprint) => (memory / MIB).toFixed(1)
  return (
    `${name}: seed ${seed}, ${seconds.toFixed(0)} s, ${counts.scenes} scenes, ${counts.kills} killed, ${counts.ends} ended, ` +
    `${counts.moves} moved; ${counts.items} items, ${counts.inHand} gone with the killed who had claimed them, ` +
    `${counts.late} late from the ended; ${counts.messages} messages, ${counts.jobs} jobs, ${counts.holds} locks held; ` +
    `longest waits ${waits} ms; descriptors ${before.descriptors} to ${after.descriptors}, ` +
    `memory ${mib(before)} to ${mib(after)} MiB; ${violations.length} violations`
  )
}
