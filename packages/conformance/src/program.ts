import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface ProgramResult {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}

/** Runs one of the suite's programs. `descriptors`: how many it may have open. */
export function runProgram(
  name: string,
  module: string,
  settings: Record<string, string>,
  { ms = 15_000, descriptors }: { ms?: number; descriptors?: number },
): Promise<ProgramResult> {
  const path = fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url))
  const env = { ...process.env, NODE_OPTIONS: '', MP_CONFORMANCE_MODULE: module, ...settings }
  const start = performance.now()
  const [file, args] =
    descriptors === undefined
      ? [process.execPath, [path]]
      : ['/bin/sh', ['-c', `ulimit -n ${descriptors}; exec "$0" "$1"`, process.execPath, path]]
  return new Promise(resolve => {
    const child = execFile(file, args, { env, timeout: ms, killSignal: 'SIGKILL' }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr, ms: performance.now() - start }),
    )
  })
}
