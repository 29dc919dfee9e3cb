import type { Readable, Writable } from 'node:stream'

const NEWLINE = 0x0a
/** Bytes. A longer line is cut into several, so that output without line ends does not fill the memory. */
const LONGEST_LINE = 64 * 1024

/**
 * Writes what comes from a child's stream to a stream of this context, each line with `[name] ` before it. For transports, where
 * {@link SpawnOptions.stdio} is 'pipe'. A transport calls this at spawn: when the child ends, Node drops what nobody listens to.
 * Resolves when everything has been written, also where the stream failed.
 */
export function relayLines(from: Readable, to: Writable, name: string): Promise<void> {
  const prefix = Buffer.from(`[${name}] `)
  let rest: Buffer[] = []
  let length = 0
  const write = (chunk: Buffer) => {
    if (to.write(chunk) || to.destroyed) return
    from.pause()
    to.once('drain', () => from.resume())
  }
  const take = (chunk: Buffer) => {
    const lines: Buffer[] = []
    let at = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      lines.push(prefix, ...rest, chunk.subarray(at, end + 1))
      rest = []
      length = 0
      at = end + 1
    }
    if (at < chunk.length) {
      rest.push(chunk.subarray(at))
      length += chunk.length - at
    }
    if (length > LONGEST_LINE) lines.push(...takeRest())
    if (lines.length > 0) write(Buffer.concat(lines))
  }
  const takeRest = () => {
    const line = [prefix, ...rest, Buffer.of(NEWLINE)]
    rest = []
    length = 0
    return line
  }
  return new Promise(resolve => {
    const end = () => {
      if (length > 0) to.write(Buffer.concat(takeRest()))
      resolve()
    }
    from.on('data', take)
    from.once('close', end)
    from.once('end', end)
    from.on('error', () => {})
  })
}
