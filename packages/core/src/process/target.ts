/** What a Process runs: an exported function, or the name of one in a module. */
export type Target<A extends unknown[] = unknown[], R = unknown> = ((...args: A) => R | PromiseLike<R>) | TargetByName

export interface TargetByName {
  /** An absolute file: URL (usually `new URL('./module.js', import.meta.url)`) or the name of a package. */
  readonly module: URL | string
  /** The name of the export; 'default' for the default export. */
  readonly export: string
}

/** How a target travels: plain data that also JSON carries. */
export interface TargetReference {
  /** What the child imports. */
  readonly module: string
  /** Where `explicit`, the name of the export. Otherwise the function's own `name`; its export may have another one. */
  readonly name: string
  /** The user named module and export. Then the fields below are absent. */
  readonly explicit: boolean
  /** The names of the module's variables (for CommonJS, of its exports) that hold the function. The first is the likeliest. */
  readonly bindings?: readonly string[]
  /**
   * How the child finds the function:
   *
   * - 'binding': by these names only. For a closure that a module variable holds, and an export of a loaded CommonJS module.
   * - 'module': by these names, then by position, for `export { f as g }`.
   * - 'wrapped': by these names, then as the default export. The parent ran a transformed text (vitest), whose positions mean
   *   nothing to the child.
   * - 'position': by position only. The parent could not see the binding: an anonymous default export, a CommonJS module that
   *   is still running.
   */
  readonly match?: 'binding' | 'module' | 'wrapped' | 'position'
  /** Where the function starts in its module, from 0. */
  readonly line?: number
  readonly column?: number
}

/** What messages advise where a function itself cannot be a target. */
export const BY_NAME_HINT = "pass { module: new URL('./module.js', import.meta.url), export: 'name' }"

export function isDataUrl(specifier: string): boolean {
  return /^\s*data:/i.test(specifier)
}

export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
