/**
 * Waits for `promise`, but for `ms` at most. When the time passes first, `onLate` is called and the wait ends without an
 * error. Rejects with what the promise rejects with before that.
 */
export async function within(promise: Promise<unknown>, ms: number, onLate?: () => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(() => {
      onLate?.()
      resolve()
    }, ms)
  })
  try {
    await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
