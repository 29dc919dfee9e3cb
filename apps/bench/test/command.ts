import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the built program. `onStderr` gets the progress as it comes, and may end the program. */
export function bench(
  args: readonly string[],
  options: {
    program?: 'main' | 'scale-main'
    cwd?: string
    env?: Record<string, string>
    onStderr?: (text: string, kill: () => void) => void
  } = {},
): Promise<Ended> {
  const { npm_lifecycle_event: _script, INIT_CWD: _initial, ...inherited } = process.env
  const path = fileURLToPath(new URL(`../dist/${options.program ?? 'main'}.js`, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], {
    cwd: options.cwd,
    env: { ...inherited, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
    options.onStderr?.(stderr, () => child.kill('SIGINT'))
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ code, stdout, stderr }))
  })
}
