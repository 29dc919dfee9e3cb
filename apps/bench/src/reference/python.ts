import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median } from 'simple-statistics'
import type { PythonWork } from '../patterns/pattern.js'
import type { Reference } from '../results.js'
import { spreadOf } from '../statistics.js'

export interface PythonReference extends Omit<Reference, 'ratio'> {
  readonly version: string
}

const rounds = '3'
/** For work that takes some 40 ms a round. */
const manyRounds = '9'

export const pythonQueue: PythonWork = {
  name: 'python multiprocessing.Queue',
  script: './multiprocessing_queue.py',
  args: quick => [quick ? '0.1' : '0.4', rounds],
}

/** `chunksize` 0: Python's default. */
export function pythonPool(items: number, chunksize: number): PythonWork {
  return {
    name: `python multiprocessing.Pool.map${chunksize > 0 ? `, chunksize ${chunksize}` : ''}`,
    script: './multiprocessing_pool.py',
    args: quick => [String(quick ? items / 4 : items), String(chunksize), chunksize > 0 ? rounds : manyRounds],
  }
}

/** The same shape of use. Each starts one to nine processes, so that its rounds must be short. */
export function pythonShape(name: string): PythonWork {
  return {
    name: `python ${name}`,
    script: './multiprocessing_shapes.py',
    args: quick => [name, quick ? '0.04' : '0.06', rounds],
  }
}

const timeLimit = 15_000 // ms

let running: ChildProcess | null = null

/** Null, and a note, if there is no python3. */
export async function measurePython(
  { name, script, args }: PythonWork,
  quick: boolean,
  note: (text: string) => void,
): Promise<PythonReference | null> {
  try {
    const path = fileURLToPath(new URL(script, import.meta.url))
    const { python, values } = JSON.parse(await runPython([path, ...args(quick)]))
    return { name, value: median(values), spread: spreadOf(values), version: python }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    note(`no comparison with Python: ${missing ? 'there is no python3 on the PATH' : (error as Error).message}`)
    return null
  }
}

/** Python's own child is in the same process group, so that one signal ends both. */
function runPython(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const python = spawn('python3', args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    running = python
    let output = ''
    let complaint = ''
    python.stdout.setEncoding('utf8').on('data', text => (output += text))
    python.stderr.setEncoding('utf8').on('data', text => (complaint += text))
    const limit = setTimeout(() => {
      killPython()
      reject(new Error(`python3 took longer than ${timeLimit / 1000} s`))
    }, timeLimit)
    python.once('error', error => {
      clearTimeout(limit)
      running = null
      reject(error)
    })
    python.once('close', code => {
      clearTimeout(limit)
      running = null
      if (code === 0) resolve(output)
      else reject(new Error(`python3 ended with exit code ${code}: ${complaint.trim().split('\n').at(-1)}`))
    })
  })
}

/** Safe to call at any time. */
export function killPython(): void {
  if (running?.pid === undefined) return
  try {
    process.kill(-running.pid, 'SIGKILL')
  } catch {
    // it has ended already
  }
  running = null
}
