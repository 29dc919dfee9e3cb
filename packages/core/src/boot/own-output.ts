import type { Writable } from 'node:stream'

/** Whether the system has not yet taken all that this process has printed. Node writes to pipes and sockets beside the event loop. */
export function isPrinting(): boolean {
  // Asking the streams would make them, for 3 ms, where nobody has printed.
  return process.getActiveResourcesInfo().some(type => type.endsWith('WriteWrap'))
}

/** Fulfils when the system has taken all that this process has printed, or nobody reads it any more. */
export async function printed(): Promise<void> {
  if (isPrinting()) await Promise.all([written(process.stdout), written(process.stderr)])
}

function written(stream: Writable): Promise<void> {
  return new Promise(resolve => {
    if (stream.destroyed || stream.writableLength === 0) return resolve()
    // The reader may go while this waits.
    stream.on('error', () => resolve())
    if (stream.writableEnded) stream.once('finish', resolve)
    else stream.write('', () => resolve())
  })
}
