import type { Writable } from 'node:stream'

/**
 * A signal that this program does not handle ends it at once: no handler of 'exit' runs, and a library must not handle signals that
 * are the program's own. So a shell outlives the program by a moment. It reads the names of directories, one a line, until its stdin
 * ends, and removes them then. No signal that is sent to the program's group, or to all of its processes, ends it before.
 */
const SCRIPT = `trap '' HUP INT QUIT TERM
while IFS= read -r directory; do set -- "$@" "$directory"; done
rm -rf -- "$@"`

/** What is beyond this is left to the next program. Most directories are gone before their program ends. */
const MOST = 1000

let remover: Writable | undefined
let waiting: string[] | undefined
let count = 0

/** Has a directory of this program's own removed when the program has ended, however it did. */
export function removeAfterwards(directory: string): void {
  // The names are lines.
  if (process.platform === 'win32' || directory.includes('\n') || ++count > MOST) return
  if (remover) return void remover.write(`${directory}\n`)
  if (waiting) return void waiting.push(directory)
  waiting = [directory]
  // Later: a start takes milliseconds, and there is something that is waited for now.
  setImmediate(start).unref()
}

function start(): void {
  const { spawn } = process.getBuiltinModule('node:child_process')
  try {
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'mp-remover'], {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
      detached: true,
    })
    // Without it, the next program removes what this one leaves.
    shell.on('error', () => {})
    shell.unref()
    remover = shell.stdin
    remover.on('error', () => {})
    ;(remover as Writable & { unref?(): void }).unref?.()
    for (const directory of waiting ?? []) remover.write(`${directory}\n`)
  } catch {
    // This program may start no processes.
  }
}
