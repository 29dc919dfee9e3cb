import { MpError } from '../errors.js'
import { ownNames, read } from './module-exports.js'
import { BY_NAME_HINT, describeValue, isDataUrl, type TargetReference } from './target.js'
import { locateFunctions } from './target-inspector.js'

type AnyFunction = (...args: unknown[]) => unknown

/**
 * Imports the module and gives the function. Rejects with MP_BAD_TARGET where the module cannot be imported (`cause` says why)
 * or has no such function. Rejects with MP_NOT_SUPPORTED where only the position tells and this context has no inspector.
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
  // The name alone does not decide: the exported function may be another one of that name.
  const positions = locateFunctions(candidates)
  const here = candidates.filter(
    (_, i) => positions[i]?.line === reference.line && positions[i]?.column === reference.column,
  )
  return here.length === 1 ? here[0] : undefined
}

/**
 * The exports of that name. A CommonJS module has some exports only as properties of `default`, and `exports.default` always so.
 */
function readExports(namespace: Record<string, unknown>, name: string): unknown[] {
  return [namespace, namespace.default]
    .filter(holder => ownNames(holder).includes(name))
    .map(holder => read(holder, name))
}

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function'
}
