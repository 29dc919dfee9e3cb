import { execFileSync } from 'node:child_process'
import { test } from 'vitest'

/** Uses V8's natives: whether V8 finds an object's properties by their place, and not in a dictionary. */
const program = `
  import * as mp from '@mp/worker-threads'

  export const target = () => {}
  if (mp.isMainProcess) {
    const slow = []
    const make = {
      Process: () => new mp.Process({ target }),
      Queue: () => new mp.Queue(),
      JoinableQueue: () => new mp.JoinableQueue(),
      Connection: () => mp.Pipe()[0],
      Lock: () => new mp.Lock(),
      Event: () => new mp.Event(),
      Condition: () => new mp.Condition(),
      Barrier: () => new mp.Barrier(2),
      SharedArray: () => new mp.SharedArray('i32', 4),
    }
    for (const [name, one] of Object.entries(make)) {
      for (let i = 0; i < 20; i++) if (!%HasFastProperties(one())) { slow.push(name); break }
    }
    console.log(JSON.stringify(slow))
    process.exit()
  }
`

test('handles stay quick to use, however many there are of a class', ({ expect }) => {
  const flags = ['--allow-natives-syntax', '--input-type=module', '--eval', program]
  const told = execFileSync(process.execPath, flags, { cwd: import.meta.dirname, encoding: 'utf8' })
  expect(JSON.parse(told)).toEqual([])
})
