import type { BoundContext } from '@mp/core'
import { eventually, within } from './harness.js'
import { type Holdings, holdings, leftBeyond, longestSettling } from './leaks.js'
import type { Trial } from './trial.js'

/** ms that one case may take. */
const LONGEST_CASE = 18_000

/** Runs a case. It fails if it leaves anything behind. */
export async function runCase(trial: Trial, name: string, body: (trial: Trial) => Promise<void>): Promise<void> {
  const rejections: unknown[] = []
  const onRejection = (reason: unknown) => void rejections.push(reason)
  process.on('unhandledRejection', onRejection)
  const onWarning = (warning: Error) => void trial.warnings.push(warning)
  process.on('warning', onWarning)
  const before = holdings()
  try {
    // In a later turn, so that the timer of the limit is there before the case looks which timers there are.
    await within(
      Promise.resolve().then(() => body(trial)),
      name,
      LONGEST_CASE,
    )
    await trial.close()
    await assertNothingLeft(trial, before)
    if (rejections.length > 0) throw new Error('a rejection that nobody handles', { cause: rejections[0] })
  } catch (error) {
    throw trial.seeded ? withSeed(error, trial.seed) : error
  } finally {
    process.off('warning', onWarning)
    process.off('unhandledRejection', onRejection)
    // After a failure, a close that fails too must not hide it.
    await trial.close().catch(() => {})
    await endChildren(trial.api)
    trial.dispose()
  }
}

/** Adds to the error how to make the same random choices again. The stack stays that of the failure. */
function withSeed(error: unknown, seed: number): unknown {
  if (error instanceof Error) {
    const told = `${error.message}\nMP_CONFORMANCE_SEED=${seed} makes the same choices again`
    if (error.stack) error.stack = error.stack.replace(error.message, told)
    error.message = told
  }
  return error
}

async function assertNothingLeft({ api, warnings }: Trial, before: Holdings): Promise<void> {
  await eventually(() => api.activeChildren().length === 0, 'the end of all children', longestSettling()).catch(() => {
    const names = api.activeChildren().map(each => each.name)
    throw new Error(`the case left children behind: ${names.join(', ')}`)
  })
  const left = await leftBeyond(before)
  if (left.length > 0) throw new Error(`the case left behind: ${left.join(', ')}`)
  if (warnings.length > 0) throw new Error(`unexpected warning: ${warnings[0]?.stack}`)
}

/** For the end of a failed case. A child that cannot be ended must not hide the failure. */
async function endChildren(api: BoundContext): Promise<void> {
  const ends = api.activeChildren().map(async child => {
    const { exited } = child
    child.kill()
    await exited
  })
  await within(Promise.allSettled(ends), 'the end of what a failed case left').catch(() => {})
}
