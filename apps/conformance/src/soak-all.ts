import { fork } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SoakReport } from '@mp/conformance'
import type { SoakCommand } from './soak-options.js'

const program = fileURLToPath(new URL('./soak-one.js', import.meta.url))

/** s. A soak that has not ended so long after its time hangs. */
const LONGEST_END = 180

/** What became of the program that soaked one transport. */
interface Outcome {
  readonly report: SoakReport | undefined
  /** How it ended, if it did not end well, and what it left. */
  readonly faults: readonly string[]
  /** What it and its children printed: nothing, if all is well. */
  readonly output: string
}

/** Soaks one transport after the other, and prints a line for each. Gives whether there was no violation. */
export async function soakAll({ transports, seconds, seed, scene }: SoakCommand): Promise<boolean> {
  let sound = true
  for (const name of transports) {
    const { report, faults, output } = await soakOne(name, seconds / transports.length, seed, scene)
    const summary = report?.summary ?? `${name}: seed ${seed}, no report`
    process.stdout.write(`${[summary, ...faults].join('; ')}\n`)
    const violations = [...(report?.violations ?? []), ...faults]
    if (violations.length === 0) continue
    sound = false
    const told = [
      'the last events:',
      ...(report?.trace ?? []),
      'the output:',
      output,
      ...violations.map(each => `VIOLATION ${each}`),
    ]
    process.stderr.write(`${told.join('\n')}\n`)
  }
  return sound
}

async function soakOne(name: string, seconds: number, seed: number, scene: number | undefined): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'mp-soak-'))
  try {
    const args = [name, String(seconds), String(seed), ...(scene === undefined ? [] : [String(scene)])]
    const child = fork(program, args, {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    let report: SoakReport | undefined
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', text => (output += text))
    child.on('message', message => (report = message as SoakReport))
    const timer = setTimeout(() => child.kill('SIGKILL'), (seconds + LONGEST_END) * 1000)
    const [code, signal] = await new Promise<[number | null, string | null]>(resolve =>
      child.once('close', (...ended) => resolve(ended)),
    )
    clearTimeout(timer)
    const faults = code === 0 ? [] : [`its program ended with ${code ?? signal}`]
    const left = readdirSync(folder, { recursive: true })
    if (left.length > 0) faults.push(`it left files: ${left.join(', ')}`)
    return { report, faults, output }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
