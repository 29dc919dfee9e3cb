import { createRequire, isBuiltin } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MpError } from '../errors.js'
import { type FunctionOrigin, inspectFunction, locateFunctions } from './target-inspector.js'

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
  /** The name of the export where `explicit`; otherwise the function's own `name`, which its export may not have. */
  readonly name: string
  /** The user named module and export. Then the fields below are absent. */
  readonly explicit: boolean
  /** The names of the module's variables (for CommonJS, of its exports) that hold the function. The first is the likeliest. */
  readonly bindings?: readonly string[]
  /**
   * How the child may match. 'binding': by these names only (a closure that a module variable holds, an export of a loaded
   * CommonJS module). 'module': or by position, for `export { f as g }`. 'wrapped': or as the default export; the parent ran a
   * transformed text (vitest), whose positions mean nothing to the child. 'position': by position only, where the parent
   * could not see the binding (an anonymous default export, a CommonJS module that is still running).
   */
  readonly match?: 'binding' | 'module' | 'wrapped' | 'position'
  /** Where the function starts in its module, from 0. */
  readonly line?: number
  readonly column?: number
}

type AnyFunction = (...args: unknown[]) => unknown

/** Refusals are not kept: a binding may yet come to hold the function. */
const references = new WeakMap<object, TargetReference>()

const BY_NAME_HINT = "pass { module: new URL('./module.js', import.meta.url), export: 'name' }"

/**
 * Describes a target for another context, without importing its module, which may still be running. Synchronous: about 25 ms
 * for the first function of a program, 5 ms for one of a module loaded since, 0.5 ms for one of a module that was loaded
 * then, nothing for the same function again.
 *
 * @throws {TypeError} for what is neither a function nor a {@link TargetByName}.
 * @throws {MpError} MP_BAD_TARGET for a function that another context cannot import; MP_NOT_SUPPORTED for a function where
 * there is no inspector (under `--permission`): name the target there.
 */
export function describeTarget<A extends unknown[], R>(target: Target<A, R>): TargetReference {
  if (typeof target !== 'function') return describeByName(target)
  let reference = references.get(target)
  if (!reference) {
    reference = describeFunction(target)
    references.set(target, reference)
  }
  return reference
}

function describeByName(target: unknown): TargetReference {
  const { module, export: name } = (target ?? {}) as Partial<TargetByName>
  const specifier = typeof module === 'object' && typeof module?.href === 'string' ? module.href : module
  if (typeof specifier !== 'string' || specifier === '' || typeof name !== 'string' || name === '') {
    throw new TypeError(
      `A target is an exported function (\`square\`, not \`square(3)\`) or { module, export } with the names of both, not ${describeValue(target)}`,
    )
  }
  if (/^(\.|\/|[a-z]:?\\)/i.test(specifier)) {
    const instead = specifier.startsWith('.') ? `new URL('${specifier}', import.meta.url)` : 'pathToFileURL(path)'
    throw new TypeError(`A target's module is a URL or a package, not the path '${specifier}': pass ${instead}`)
  }
  if (isDataUrl(specifier)) throw new TypeError('A target must be in a file: a data: URL is not accepted')
  return { module: resolvePackage(specifier), name, explicit: true }
}

/**
 * A package is looked up from the program's entry: the child's `import()` would do it from where this library lies. Only what
 * `require` finds can be found so; a package for `import` alone stays a bare name, and `import.meta.resolve(name)` is surer.
 */
function resolvePackage(specifier: string): string {
  if (URL.canParse(specifier) || isBuiltin(specifier)) return specifier
  try {
    return pathToFileURL(createRequire(process.argv[1] ?? `${process.cwd()}/`).resolve(specifier)).href
  } catch {
    return specifier
  }
}

function describeFunction(target: object & { readonly name: string }): TargetReference {
  const origin = inspectFunction(target)
  const { kind, url, scriptName, position } = origin
  const label = functionLabel(target)
  const refuse = (what: string, todo: string) =>
    new MpError('MP_BAD_TARGET', `${label} cannot be a target: ${what}; ${todo}`)

  if (kind === 'bound')
    throw refuse('a bound function has no export', 'export a plain function and pass what was bound in args')
  if (kind === 'proxy') throw refuse('a Proxy has no export', 'pass the exported function itself')
  if (kind === 'native' || scriptName?.startsWith('node:')) {
    throw refuse(
      'it is built into Node.js',
      "wrap it in an exported function, or pass { module: 'node:...', export: 'name' }",
    )
  }
  if (isClass(target)) throw refuse('it is a class', 'export a function that makes an instance')
  if (!url || !position) {
    const script = isDataUrl(scriptName ?? '') ? 'a data: URL' : scriptName || 'eval or new Function'
    throw refuse(`it comes from ${script}, which no other context can import`, `put it in a file and export it`)
  }

  const found = findBindings(target, origin, url)
  if (!found) {
    throw refuse(
      `it is not exported from ${url}:${position.line + 1}:${position.column + 1}`,
      `write \`export function\` at the top level of the module, for what is local, a closure or a method too, or ${BY_NAME_HINT}`,
    )
  }
  const name = isDefaultBinding(target.name) ? 'default' : String(target.name)
  return { module: url, name, explicit: false, ...found, line: position.line, column: position.column }
}

type Found = Required<Pick<TargetReference, 'bindings' | 'match'>>

/** By identity, so that a local that only looks like an export is never taken for it. */
function findBindings(target: object & { name: string }, { scopes }: FunctionOrigin, url: string): Found | undefined {
  const inner = scopes.filter(({ type }) => !/^(Global|Script|Module)$/.test(type))
  const moduleScope = scopes.find(({ type }) => type === 'Module')
  if (moduleScope) {
    const bindings = sortBindings(moduleScope.names, target.name)
    // Closures of one factory share name and position.
    if (bindings.length > 0) return { bindings, match: inner.length > 0 ? 'binding' : 'module' }
    // The variable of `export default () => {}` has no name that the inspector lists. A method called default starts so.
    const anonymousDefault = target.name === 'default' && !/^(async\b|\*|\s)*default\b/.test(sourceOf(target))
    return anonymousDefault && inner.length === 0 ? { bindings: ['default'], match: 'position' } : undefined
  }

  const required = findRequired(url)
  if (required) {
    const bindings = sortBindings(exportNames(required.exports, target), target.name)
    if (bindings.length > 0) return { bindings, match: 'binding' }
    // Its exports may be set later. One nameless scope is the module's own; a named one is a function's.
    const local = inner.length > 1 || inner.some(({ type }) => type.startsWith('Closure ('))
    return required.loaded || local ? undefined : { bindings: [target.name], match: 'position' }
  }

  // A module that a tool has wrapped in a function. Its exports are captured by their getters, hence listed; a local of the
  // same name is not, because inspectFunction leaves out names that an outer scope has too.
  const names = inner.filter(({ type }) => !type.startsWith('Closure (')).flatMap(scope => scope.names)
  if (names.length === 0) return { bindings: [target.name], match: 'position' }
  const bindings = sortBindings(names, target.name).map(name => (isDefaultBinding(name) ? 'default' : name))
  return { bindings, match: 'wrapped' }
}

interface RequiredModule {
  readonly exports: unknown
  readonly loaded: boolean
}

function findRequired(url: string): RequiredModule | undefined {
  if (!url.startsWith('file:')) return undefined
  // What every require.cache is.
  const { _cache } = process.getBuiltinModule('node:module') as { _cache?: Record<string, RequiredModule> }
  return _cache?.[fileURLToPath(url)]
}

function exportNames(exports: unknown, target: object): string[] {
  if (exports === target) return ['default']
  return ownNames(exports).filter(name => read(exports, name) === target)
}

function sortBindings(names: readonly string[], likeliest: string): string[] {
  return [...names].sort((a, b) => Number(b === likeliest) - Number(a === likeliest))
}

/** What vite calls the variable of an anonymous default export. */
function isDefaultBinding(name: string): boolean {
  return /^__vi(te_ssr)?_export_default__$/.test(name)
}

/**
 * Imports the module and takes the function.
 *
 * @throws {MpError} MP_BAD_TARGET, as a rejection: the module cannot be imported (`cause` says why), or has no such function.
 * MP_NOT_SUPPORTED where it takes a position to tell and this context has no inspector.
 */
export async function loadTarget(reference: TargetReference): Promise<AnyFunction> {
  const { module, name, explicit } = reference
  if (isDataUrl(module)) throw new MpError('MP_BAD_TARGET', 'A target must be in a file: a data: URL is not accepted')
  let namespace: Record<string, unknown>
  try {
    namespace = (await import(/* @vite-ignore */ module)) as Record<string, unknown>
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new MpError('MP_BAD_TARGET', `The target's module ${module} cannot be imported: ${why}`, { cause })
  }
  const exported = explicit ? readExports(namespace, name) : []
  const found = explicit ? exported.find(isFunction) : findExport(namespace, reference)
  if (found) return found
  if (explicit) {
    const what =
      exported.length === 0 ? `has no export '${name}'` : `exports '${name}' as ${describeValue(exported[0])}`
    throw new MpError('MP_BAD_TARGET', `The target's module ${module} ${what}, where a function is needed`)
  }
  throw new MpError(
    'MP_BAD_TARGET',
    `The target function '${name}' (${module}:${(reference.line ?? 0) + 1}) is not exported by its module, or not to be told from other exports: export it at the top level, or ${BY_NAME_HINT}`,
  )
}

function findExport(namespace: Record<string, unknown>, reference: TargetReference): AnyFunction | undefined {
  const { name, bindings = [], match } = reference
  const isCandidate = (value: unknown): value is AnyFunction => isFunction(value) && value.name === name
  if (match !== 'position') {
    const found = bindings.flatMap(binding => readExports(namespace, binding)).find(isCandidate)
    if (found || match === 'binding') return found
    if (match === 'wrapped') return isCandidate(namespace.default) ? namespace.default : undefined
  }
  const { default: defaults } = namespace
  const values = [namespace, defaults].flatMap(holder => ownNames(holder).map(key => read(holder, key)))
  const candidates = [...new Set([...values, defaults].filter(isCandidate))]
  if (candidates.length === 0) return undefined
  // A name does not decide here: another function with it may be the exported one.
  const positions = locateFunctions(candidates)
  const here = candidates.filter(
    (_, i) => positions[i]?.line === reference.line && positions[i]?.column === reference.column,
  )
  return here.length === 1 ? here[0] : undefined
}

/** The exports of that name: a CommonJS module has some as properties of `default` only, and its `exports.default` always. */
function readExports(namespace: Record<string, unknown>, name: string): unknown[] {
  return [namespace, namespace.default]
    .filter(holder => ownNames(holder).includes(name))
    .map(holder => read(holder, name))
}

function ownNames(value: unknown): string[] {
  return (typeof value === 'object' && value !== null) || typeof value === 'function' ? Object.keys(value) : []
}

/** Exports can be getters that throw, and variables that are not initialised yet. */
function read(holder: unknown, name: string): unknown {
  try {
    return (holder as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function'
}

function isDataUrl(specifier: string): boolean {
  return /^\s*data:/i.test(specifier)
}

function isClass(target: object): boolean {
  // A method can be called class, but has no prototype.
  return Object.hasOwn(target, 'prototype') && /^class\b/.test(sourceOf(target))
}

function sourceOf(target: object): string {
  return Function.prototype.toString.call(target)
}

function functionLabel(target: { name: unknown }): string {
  return typeof target.name === 'string' && target.name !== ''
    ? `The function '${target.name}'`
    : 'An anonymous function'
}

function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
