// Does not close the pool. The program must end nevertheless, and its workers too.

const { Pool, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export function square(n: number): number {
  return n * n
}

if (isMainProcess) {
  const pool = new Pool(2)
  console.log(await pool.apply(square, [2]))
}
