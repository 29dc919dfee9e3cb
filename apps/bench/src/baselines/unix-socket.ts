import type { Baseline } from './baseline.js'
import { childProcess } from './child-process.js'
import { netPath, packedLoop } from './net-loop.js'

/** Two processes, a Unix socket, and msgpackr: one would write this by hand for objects. Bytes need no msgpackr. */
export const unixSocket: Baseline = {
  ...packedLoop('connects', 'a Unix socket'),
  instead: {
    '64B': netPath,
    '4KiB': netPath,
    '64KiB': netPath,
    '1MiB': netPath,
    mixed: netPath,
    '1MiB-transfer': netPath,
  },
  hello: childProcess.hello,
}
