import { MpError } from '../errors.js'

/** What runs this program, where that is not Node.js itself but runs programs for it. */
export function foreignHost(
  versions: Readonly<Record<string, string | undefined>> = process.versions,
  globals: object = globalThis,
): 'Bun' | 'Deno' | undefined {
  if (versions.bun !== undefined) return 'Bun'
  return 'Deno' in globals ? 'Deno' : undefined
}

/** Throws MP_NOT_SUPPORTED in what is not Node.js. Its sockets lack what a wire needs, and both sides would wait for ever. */
export function checkSockets(what: string): void {
  const host = foreignHost()
  if (host === undefined) return
  const instead = 'run the program with Node.js, or use a transport whose children are threads'
  throw new MpError('MP_NOT_SUPPORTED', `${what} does not work in ${host}: ${instead}`)
}
