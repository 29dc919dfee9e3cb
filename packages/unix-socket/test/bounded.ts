/** Bounds a wait: later than `ms` is a hang. */
export async function within<T>(promise: PromiseLike<T>, what: string, ms = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Error(`${what}: not within ${ms} ms`)
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), ms)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits until the condition holds. */
export async function eventually(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
  const end = performance.now() + ms
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** What a child runs, from the fixtures. */
export function target(name: string): { module: URL; export: string } {
  return { module: new URL('./fixtures/targets.mjs', import.meta.url), export: name }
}

/** A zombie, which only its parent can take away, has ended too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    const { readFileSync } = process.getBuiltinModule('node:fs')
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return process.platform !== 'linux'
  }
}
