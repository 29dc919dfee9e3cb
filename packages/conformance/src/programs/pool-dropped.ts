// Loses its only reference to a running pool. A warning must say so, and the workers must end.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const { Pool, activeChildren, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export function square(n: number): number {
  return n * n
}

if (isMainProcess) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  await (async () => new Pool(1).apply(square, [2]))()
  for (let i = 0; i < 200 && activeChildren().length > 0; i++) {
    collect()
    await new Promise(resolve => setTimeout(resolve, 25))
  }
  console.log('workers:', activeChildren().length)
}
