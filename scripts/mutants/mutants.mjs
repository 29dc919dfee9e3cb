import { board } from './list/board.mjs'
import { brokers } from './list/brokers.mjs'
import { codec } from './list/codec.mjs'
import { ends } from './list/ends.mjs'
import { link } from './list/link.mjs'
import { network } from './list/network.mjs'
import { pool } from './list/pool.mjs'
import { queueHome } from './list/queue-home.mjs'
import { queueItems } from './list/queue-items.mjs'
import { rings } from './list/rings.mjs'

/**
 * One fault.
 *
 * @typedef {object} Mutant
 * @property {string} name what the code does wrong then. Unique.
 * @property {string} file from the root of the repository; in the `src` of a package.
 * @property {string} from text that is there exactly once.
 * @property {string} to what stands there instead.
 * @property {readonly string[]} tests test files of which one must fail.
 * @property {string} [only] a regular expression: the titles of the tests that run. Absent: all of the files.
 */

/**
 * A mutant that changes nothing a program could observe is not here.
 *
 * @type {readonly Mutant[]}
 */
export const mutants = [
  ...network,
  ...queueHome,
  ...queueItems,
  ...brokers,
  ...board,
  ...link,
  ...codec,
  ...pool,
  ...rings,
  ...ends,
]

const names = new Set()
for (const { name } of mutants) {
  if (names.has(name)) throw new Error(`two mutants have the name '${name}'`)
  names.add(name)
}
