// Tells which arguments a child gets.

const { Process, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export function give(): string[] {
  return process.argv.slice(2)
}

if (isMainProcess) console.log(JSON.stringify(await Process.run(give)))
