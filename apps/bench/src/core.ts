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

let before: readonly number[] | undefined
let seat: number | null = null

/** Lets the calling thread run only on this core; null: on those that it had before its first seat. For the threads of children. */
export function takeSeat(core: number | null): void {
  if (core === seat) return
  before ??= allowedCores()
  seat = core
  sitOn(...(core === null ? before : [core]))
}

/** The cores that the calling thread may use. Empty if cores cannot be chosen. */
function readCores(): number[] {
  try {
    const found = allowedCores()
    sitOn(...found) // changes nothing, but shows whether it can be done
    return found
  } catch {
    return []
  }
}

/** '0-3,6' are five. */
function allowedCores(): number[] {
  const [, list = ''] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/thread-self/status', 'utf8')) ?? []
  return list.split(',').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
