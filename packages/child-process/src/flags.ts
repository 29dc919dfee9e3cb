import { MpError, type SpawnOptions } from '@mp/core/spi'

/** Flags that say what this process runs, or how. A child runs another file. */
const OF_THE_SCRIPT = /^--(input-type|eval|print|check|interactive|test|watch|watch-path)(=|$)|^-[ci]$/
/** With these flags a child would take the parent's port, or wait for a debugger. */
const OF_THE_INSPECTOR = /^--(inspect|inspect-brk|inspect-wait|inspect-port|debug-port)(=|$)/
/** Those flags whose value may be the next argument. */
const TWO_WORDS = /^--(input-type|watch-path|inspect-port|debug-port)$/

/** The flags that children inherit from this process. `script`: the code that was given with `-e` or `-p`. */
export function inheritedFlags(own: readonly string[], script: string | undefined): string[] {
  const flags: string[] = []
  for (let i = 0; i < own.length; i++) {
    const flag = own[i] as string
    const withoutValue = TWO_WORDS.test(flag) || (script !== undefined && own[i + 1] === script && flag.startsWith('-'))
    if (withoutValue) i++
    else if (/^--inspect(-brk|-wait)?(=|$)/.test(flag)) flags.push(`--inspect=${hostOf(flag)}0`)
    else if (!OF_THE_SCRIPT.test(flag) && !OF_THE_INSPECTOR.test(flag)) flags.push(flag)
  }
  return flags
}

/** The host with its colon. With port 0 behind it the child takes any free port, and prints the address on stderr. */
function hostOf(flag: string): string {
  const [, address = ''] = flag.split('=')
  const colon = address.lastIndexOf(':')
  if (colon >= 0) return address.slice(0, colon + 1)
  return address === '' || /^\d+$/.test(address) ? '' : `${address}:`
}

/** The limits as flags of V8. The young generation has three semi-spaces. */
export function limitingFlags(limits: SpawnOptions['resourceLimits'] = {}): string[] {
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, stackSizeMb: stack, codeRangeSizeMb } = limits
  if (codeRangeSizeMb !== undefined)
    throw new MpError('MP_NOT_SUPPORTED', 'resourceLimits.codeRangeSizeMb is for threads: a process has no such limit')
  return [
    ...(old === undefined ? [] : [`--max-old-space-size=${Math.max(1, Math.round(old))}`]),
    ...(young === undefined ? [] : [`--max-semi-space-size=${Math.max(1, Math.round(young / 3))}`]),
    ...(stack === undefined ? [] : [`--stack-size=${Math.max(1, Math.round(stack * 1024))}`]),
  ]
}
