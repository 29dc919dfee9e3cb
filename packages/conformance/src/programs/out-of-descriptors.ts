// Starts children until descriptors run out, ends them, and starts another: run with a low limit.

import { closeSync, openSync } from 'node:fs'
import type { Process as CoreProcess } from '@mp/core'

const { Process, activeChildren, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export function linger(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 60_000))
}

export function nothing(): void {}

if (isMainProcess) {
  // Loads what only the first start needs.
  const first = new Process({ target: nothing })
  await first.start()
  await first.join()
  const files: number[] = []
  const children: CoreProcess[] = []
  const outcomes: string[] = []
  try {
    for (;;) files.push(openSync('/dev/null', 'r'))
  } catch {
    // All descriptors are taken. Each round below leaves one more for the start.
  }
  for (let round = 0; round < 16; round++) {
    const child = new Process({ target: linger, daemon: round % 2 === 1 })
    outcomes.push(
      await child.start().then(
        () => 'started',
        (error: { code?: string }) => String(error.code),
      ),
    )
    if (child.pid !== null) children.push(child)
    closeSync(files.pop() as number)
  }
  for (const child of children) child.kill()
  for (const child of children) await child.join()
  for (const file of files) closeSync(file)
  const after = new Process({ target: nothing })
  const afterwards = await after.start().then(
    () => 'started',
    (error: Error) => String(error),
  )
  await after.join()
  const refused = outcomes.filter(each => each === 'MP_SPAWN_FAILED').length
  const started = outcomes.filter(each => each === 'started').length
  const others = outcomes.filter(each => each !== 'MP_SPAWN_FAILED' && each !== 'started')
  console.log(JSON.stringify({ started, refused, others, afterwards, left: activeChildren().length }))
  if (others.length > 0) process.exitCode = 1
}
