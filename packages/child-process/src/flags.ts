/** Flags that say how to read the parent's own script; a child has a file of its own. */
const OF_THE_SCRIPT = /^--(input-type|eval|print|check|interactive|test|watch|watch-path)(=|$)|^-[ci]$/
/** With these a child would wait for a debugger, or take the parent's port. */
const INSPECTOR = /^--(inspect|inspect-brk|inspect-wait|inspect-port|debug-port)(=|$)/

/** The flags of this process as its children get them. `script`: what `-e` or `-p` was given. */
export function inheritedFlags(own: readonly string[], script: string | undefined): string[] {
  const flags: string[] = []
  for (let i = 0; i < own.length; i++) {
    const flag = own[i] as string
    if (script !== undefined && own[i + 1] === script && /^-/.test(flag)) i++
    else if (INSPECTOR.test(flag)) {
      if (own[i + 1] !== undefined && /^--(inspect|debug)-port$/.test(flag)) i++
      // Any free port: the address is told on stderr.
      if (!flag.includes('port')) flags.push(`--inspect=${hostOf(flag)}0`)
    } else if (!OF_THE_SCRIPT.test(flag)) flags.push(flag)
  }
  return flags
}

function hostOf(flag: string): string {
  const address = flag.slice(flag.indexOf('=') + 1 || flag.length)
  const colon = address.lastIndexOf(':')
  if (colon >= 0) return address.slice(0, colon + 1)
  return address === '' || /^\d+$/.test(address) ? '' : `${address}:`
}
