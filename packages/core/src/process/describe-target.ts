import { createRequire, isBuiltin } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MpError } from '../errors.js'
import { foreignHost } from '../runtime/host.js'
import { ownNames, read } from './module-exports.js'
import {
  BY_NAME_HINT,
  describeValue,
  isDataUrl,
  type Target,
  type TargetByName,
  type TargetReference,
} from './target.js'
import { type FunctionOrigin, inspectFunction } from './target-inspector.js'

/** Refusals are not remembered: a binding may hold the function later. */
const references = new WeakMap<object, TargetReference>()

/**
 * Describes a target for another context. Does not import the module, which may still be running. Synchronous. The first
 * function of a program takes about 25 ms. After that a function takes 0.5 ms, or 5 ms where its module was loaded since the
 * last look. The same function again takes nothing.
 *
 * @throws {TypeError} `target` is neither a function nor a {@link TargetByName}.
 * @throws {MpError} MP_BAD_TARGET: another context cannot import the function. MP_NOT_SUPPORTED: there is no inspector (under
 * `--permission`, Bun, Deno), so the target must be named.
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
 * Looks a package up from the program's entry. The child's `import()` would look it up from where this library lies. This finds
 * only what `require` finds. A package for `import` alone stays a bare name; the user had better pass `import.meta.resolve(name)`.
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
  const host = foreignHost()
  if (host) throw new MpError('MP_NOT_SUPPORTED', `${host} does not tell where a function comes from: ${BY_NAME_HINT}`)
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

/** Compares by identity, so that a local that only looks like an export is never taken for it. */
function findBindings(target: object & { name: string }, { scopes }: FunctionOrigin, url: string): Found | undefined {
  const inner = scopes.filter(({ type }) => !/^(Global|Script|Module)$/.test(type))
  const moduleScope = scopes.find(({ type }) => type === 'Module')
  if (moduleScope) {
    const bindings = sortBindings(moduleScope.names, target.name)
    // Closures of one factory share name and position.
    if (bindings.length > 0) return { bindings, match: inner.length > 0 ? 'binding' : 'module' }
    // The inspector does not list the variable of `export default () => {}`. The source of a method called default begins with
    // that word, and a method is not an export.
    const anonymousDefault = target.name === 'default' && !/^(async\b|\*|\s)*default\b/.test(sourceOf(target))
    return anonymousDefault && inner.length === 0 ? { bindings: ['default'], match: 'position' } : undefined
  }

  const required = findRequired(url)
  if (required) {
    const bindings = sortBindings(exportNames(required.exports, target), target.name)
    if (bindings.length > 0) return { bindings, match: 'binding' }
    // The module may set its exports later. One scope without a name is the module's own. A scope with a name is a function's.
    const local = inner.length > 1 || inner.some(({ type }) => type.startsWith('Closure ('))
    return required.loaded || local ? undefined : { bindings: [target.name], match: 'position' }
  }

  // A tool has wrapped the module in a function. Getters capture the exports, so the inspector lists them. It does not list a
  // local of the same name, since inspectFunction leaves out names that an outer scope has too.
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
  // Every require.cache is this object.
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

/** Whether it is vite's name for the variable of an anonymous default export. */
function isDefaultBinding(name: string): boolean {
  return /^__vi(te_ssr)?_export_default__$/.test(name)
}

function isClass(target: object): boolean {
  // A method can have the name class, but it has no prototype.
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
