import { isMainProcess, Pipe, Process } from './transport.mjs'

export async function sendSquares(numbers, connection) {
  for (const number of numbers) await connection.send(number ** 2)
  await connection.close()
}

if (isMainProcess) {
  const [here, there] = Pipe()
  // An end of a pipe moves: from here on `there` belongs to the child.
  const child = new Process({ target: sendSquares, args: [[0, 1, 2, 3, 4], there] })
  child.start()
  // Ends when the child has closed its end, or has itself ended.
  for await (const square of here) console.log(square)
  await child.join()
}
