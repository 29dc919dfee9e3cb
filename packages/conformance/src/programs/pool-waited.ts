// Awaits nothing. The program must live until its jobs are done, and then end.

const { Pool, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export async function give(n: number): Promise<number> {
  await new Promise(resolve => setTimeout(resolve, 2))
  return n
}

if (isMainProcess) {
  const pool = new Pool(2)
  pool
    .map(
      give,
      Array.from({ length: 100 }, (_, i) => i),
    )
    .then((all: number[]) =>
      console.log(
        'done',
        all.reduce((a, b) => a + b),
      ),
    )
}
