import { createLogUpdate } from 'log-update'
import pc from 'picocolors'

export interface Progress {
  /** A new case begins; `done` of `total` are behind it. */
  begin(title: string, done: number, total: number): void
  /** Prints something to know that is no error. It stays on the screen. */
  note(text: string): void
  finish(): void
}

const barLength = 24

/**
 * On a terminal one line that is redrawn, elsewhere a line per group of cases. It is drawn only between cases, and without a timer,
 * because whatever runs during a round would be measured with it.
 */
export function createProgress(stream: NodeJS.WriteStream): Progress {
  const started = performance.now()
  if (!stream.isTTY) {
    let lastGroup = ''
    return {
      begin(title, done, total) {
        const group = title.split(', ', 2).join(', ')
        if (group !== lastGroup) stream.write(`[${done + 1}/${total}] ${group}\n`)
        lastGroup = group
      },
      note: text => stream.write(`note: ${text}\n`),
      finish: () => {},
    }
  }
  const line = createLogUpdate(stream)
  const color = pc.createColors(pc.isColorSupported)
  return {
    begin(title, done, total) {
      const filled = Math.round((done / total) * barLength)
      const bar = color.cyan('█'.repeat(filled)) + color.dim('░'.repeat(barLength - filled))
      const seconds = Math.round((performance.now() - started) / 1000)
      line(`${bar} ${done}/${total} ${color.dim(`${seconds} s`)}  ${title}`)
    },
    note(text) {
      line.clear()
      stream.write(`note: ${text}\n`)
    },
    finish: () => line.clear(),
  }
}
