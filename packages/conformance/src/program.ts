import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { patiently } from './patience.js'

export interface ProgramResult {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

export interface ProgramOptions {
  /** How long it may take, ms. */
  readonly ms?: number
  /** How many descriptors it may have open. */
  readonly descriptors?: number
  /** Node's flags. */
  readonly flags?: readonly string[]
  readonly args?: readonly string[]
  /** Who reads its stdout: 'late', nobody for a second; 'gone', nobody after its first words. */
  readonly reader?: 'late' | 'gone'
}

/** Runs one of the suite's programs. */
export function runProgram(
  name: string,
  module: string,
  settings: Record<string, string>,
  { ms = 15_000, descriptors, flags = [], args: own = [], reader }: ProgramOptions,
): Promise<ProgramResult> {
  const path = fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url))
  const env = { ...process.env, NODE_OPTIONS: '', MP_CONFORMANCE_MODULE: module, ...settings }
  const start = performance.now()
  const command = [process.execPath, ...flags, path, ...own] as const
  const [file, ...args] =
    descriptors === undefined ? command : ['/bin/sh', '-c', `ulimit -n ${descriptors}; exec "$0" "$@"`, ...command]
  return new Promise(resolve => {
    const child = execFile(file, args, { env, timeout: patiently(ms), killSignal: 'SIGKILL' }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr, ms: performance.now() - start }),
    )
    const { stdout } = child
    if (reader === 'late') {
      stdout?.pause()
      setTimeout(() => stdout?.resume(), 1_000)
    }
    if (reader === 'gone') stdout?.once('data', () => stdout.destroy())
  })
}
