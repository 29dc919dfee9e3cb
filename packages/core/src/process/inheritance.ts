/** Flags that say what this process runs, or how. A child runs another file. */
const OF_THE_SCRIPT = /^--(input-type|eval|print|check|interactive|test|watch|watch-path|build-snapshot)(=|$)|^-[ci]$/
/** With these flags a child would take the parent's port, or wait for a debugger. */
const OF_THE_INSPECTOR = /^--(inspect|inspect-brk|inspect-wait|inspect-port|debug-port)(=|$)/
/** Those flags whose value may be the next argument. */
const TWO_WORDS = /^--(input-type|watch-path|inspect-port|debug-port)$/

/** What a child that is a process inherits of this context. */
export interface Inheritance {
  readonly execArgv: readonly string[]
  /** NODE_OPTIONS, where the child's must differ. */
  readonly env: Readonly<Record<string, string>>
}

export function inheritance(): Inheritance {
  const { execArgv, env } = process
  const options = env.NODE_OPTIONS === undefined ? undefined : inheritedOptions(env.NODE_OPTIONS)
  return {
    execArgv: inheritedFlags(execArgv, (process as { _eval?: string })._eval),
    env: options === env.NODE_OPTIONS || options === undefined ? {} : { NODE_OPTIONS: options },
  }
}

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

/** As {@link inheritedFlags}, for the value of NODE_OPTIONS. It stays as it is where nothing in it must go. */
export function inheritedOptions(own: string): string {
  const words = wordsOf(own)
  const flags = inheritedFlags(words, undefined)
  return flags.join('\n') === words.join('\n') ? own : flags.map(quoted).join(' ')
}

/** As Node reads NODE_OPTIONS: spaces part the words, except within double quotes, where a backslash escapes. */
function wordsOf(options: string): string[] {
  const words = options.match(/(?:"(?:\\.|[^"\\])*"?|[^ "])+/gs) ?? []
  return words.map(word => word.replace(/"((?:\\.|[^"\\])*)"?/gs, (_, text: string) => text.replace(/\\(.)/gs, '$1')))
}

function quoted(word: string): string {
  return /[ "]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word
}
