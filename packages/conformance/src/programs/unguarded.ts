// Starts a process whenever it is imported. There is no guard, so the child that imports it for its target does so too.

const { Process, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

console.log(isMainProcess ? 'main' : 'child module')

export function target(): void {
  console.log('never')
}

const child = new Process({ target })
try {
  await child.start()
  await child.join()
} catch (error) {
  if (isMainProcess) console.log((error as { code?: string }).code)
  else if (process.env.MP_CONFORMANCE_HOW !== 'caught') throw error
}
