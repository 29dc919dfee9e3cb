import { pack, unpack } from 'msgpackr'
import type { Baseline } from './baseline.js'
import { childProcess } from './child-process.js'
import { netLoop, netPath } from './net-loop.js'

/** Two processes, a Unix socket, and msgpackr: one would write this by hand for objects. Bytes need no msgpackr. */
export const unixSocket: Baseline = {
  name: 'net + msgpackr',
  description: 'a bare spawn and a Unix socket: a u32 length and msgpackr, 500 messages a write()',
  instead: { '64B': netPath, '64KiB': netPath, '1MiB': netPath, '1MiB-transfer': netPath },
  ...netLoop({ file: './net-packed-process.js', pack, unpack }, 'connects'),
  hello: childProcess.hello,
}
