export function ownNames(value: unknown): string[] {
  return (typeof value === 'object' && value !== null) || typeof value === 'function' ? Object.keys(value) : []
}

/** Exports can be getters that throw, and variables that are not initialised yet. */
export function read(holder: unknown, name: string): unknown {
  try {
    return (holder as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}
