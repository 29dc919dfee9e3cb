const { Process, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export function thrower(): never {
  throw new RangeError('thrown here')
}

if (isMainProcess) {
  const child = new Process({ target: thrower, name: 'the-thrower' })
  child.start()
  console.log(await child.join())
}
