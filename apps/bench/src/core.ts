import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

/**
 * Whether parent and child share a core makes a factor of nine in a round trip (it costs a few microseconds to wake a thread of
 * the same core, and some 80 to wake an idle core), and a factor of two in a flow. Which it is, is luck, and stays for long. So
 * each end takes its own core, in subject and baseline alike. This needs Linux and `taskset`; elsewhere the scheduler decides,
 * and the spread shows it.
 */
export interface Seats {
  readonly parent: number
  readonly child: number
}

const affinityTool = 'taskset'

let cores: readonly number[] | undefined
let seated = false

/** Null if the ends cannot be given cores. To be called in the main program. */
export function findSeats(): Seats | null {
  cores ??= readCores()
  const [parent, child] = cores
  return parent === undefined || child === undefined ? null : { parent, child }
}

/** The main thread takes its core. Children must be started before, since they would inherit it. */
export function sit(): void {
  const seats = findSeats()
  if (!seats || seated) return
  seated = true
  sitOn(seats.parent)
}

export function standUp(): void {
  if (!seated || !cores) return
  seated = false
  sitOn(...cores)
}

/** Lets the calling thread run only on these cores. */
export function sitOn(...allowed: readonly number[]): void {
  const thread = readlinkSync('/proc/thread-self').split('/').at(-1) as string
  execFileSync(affinityTool, ['-p', '-c', allowed.join(','), thread], { stdio: 'ignore', timeout: 2000 })
}

/** The cores that this process may use: '0-3,6' are five. Empty if cores cannot be chosen. */
function readCores(): number[] {
  try {
    const [, list = ''] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    const found = list.split(',').flatMap(range => {
      const [first = 0, last = first] = range.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })
    sitOn(...found) // changes nothing, but shows whether it can be done
    return found
  } catch {
    return []
  }
}
