// Starts children that print, each with a different `stdio`.

const { Process, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export function printTwo(word: string): void {
  console.log(`${word} 1`)
  console.log(`${word} 2`)
  console.error('')
}

export function print(word: string): void {
  console.log(`${word} 1\n${word} 2`)
}

/** Prints more than a pipe holds, a character that is cut in two writes, and a line without an end. Waits for none of it. */
export async function printMuch(): Promise<void> {
  const { writeSync } = await import('node:fs')
  const { isMainThread } = await import('node:worker_threads')
  const put = (bytes: Uint8Array) => (isMainThread ? writeAll(writeSync, bytes) : process.stdout.write(bytes))
  put(Buffer.from(Array.from({ length: 5_000 }, (_, i) => `line ${i}\n`).join('')))
  const text = Buffer.from('in ünïcode\n')
  put(text.subarray(0, 4))
  put(text.subarray(4))
  process.stderr.write('a warning\n')
  put(Buffer.from('no newline'))
}

function writeAll(write: (fd: number, bytes: Uint8Array) => number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += write(1, bytes.subarray(at))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

if (isMainProcess) {
  for (const [target, name, stdio, args] of [
    [print, 'inherits', undefined, ['inherited']],
    [printTwo, 'ignored', 'ignore', ['ignored']],
    [printMuch, 'piped', 'pipe', []],
  ]) {
    const child = new Process({ target, name, stdio, args })
    child.start()
    await child.join()
  }
}
