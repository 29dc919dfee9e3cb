import { currentProcess, isMainProcess, Pool } from './transport.mjs'

export function square(number) {
  if (typeof number !== 'number') throw new TypeError(`not a number: ${number}`)
  return number ** 2
}

export function whoAmI() {
  return currentProcess().name
}

if (isMainProcess) {
  const pool = new Pool(2)
  console.log('worker:', await pool.apply(whoAmI))

  // In the order of the numbers, whichever worker had them.
  console.log('map:', ...(await pool.map(square, [0, 1, 2, 3, 4])))

  // One result at a time; the endless input is read no further than needed.
  const squares = []
  for await (const each of pool.imap(square, naturals())) {
    if (each > 50) break
    squares.push(each)
  }
  console.log('imap:', ...squares)

  await pool.map(square, [1, 'two', 3]).catch(error => console.log(`${error.name}: ${error.message}`))

  pool.close()
  await pool.join()
}

function* naturals() {
  for (let number = 0; ; number++) yield number
}
