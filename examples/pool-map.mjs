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

  // The results are in the order of the numbers, whichever worker computed them.
  console.log('map:', ...(await pool.map(square, [0, 1, 2, 3, 4])))

  // imap gives one result at a time, and reads no more of the endless input than it needs.
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
