import type { Target } from './target.js'

export interface ProcessOptions<A extends unknown[] = unknown[], R = unknown> {
  /** An exported function, or the name of one. Where absent the process ends at once, with exit code 0. */
  target?: Target<A, R> | undefined
  /** The target's arguments, encoded at `start`. Handles arrive as working handles; a Connection moves to the child. */
  args?: A | undefined
  /** `Process-<n>` where absent. */
  name?: string | undefined
  /** A daemon does not outlive its creator, and its creator does not wait for it. Where absent the creator's own flag. */
  daemon?: boolean | undefined
  /** Environment variables of the child, besides the inherited ones. */
  env?: Record<string, string> | undefined
  /** Node's own flags for the child. Where absent the parent's. */
  execArgv?: string[] | undefined
  /** The child's working directory. Where absent the parent's. Only processes have one of their own. */
  cwd?: string | undefined
  /**
   * Where the child's stdout and stderr go; 'inherit' where absent. With 'pipe' this process writes each line of the child to its
   * own stdout or stderr, with `[name] ` before it. All lines are written when `join` resolves.
   */
  stdio?: Stdio | undefined
  /** How much memory the child's V8 may use. A child that needs more dies. */
  resourceLimits?: ResourceLimits | undefined
  /** Aborting terminates the child; `result()` then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

export type Stdio = 'inherit' | 'ignore' | 'pipe'

/** As in node:worker_threads, in MiB. */
export interface ResourceLimits {
  maxOldGenerationSizeMb?: number | undefined
  maxYoungGenerationSizeMb?: number | undefined
  /** Threads only. */
  codeRangeSizeMb?: number | undefined
  stackSizeMb?: number | undefined
}

const OPTIONS = [
  'target',
  'args',
  'name',
  'daemon',
  'env',
  'execArgv',
  'cwd',
  'stdio',
  'resourceLimits',
  'signal',
] as const satisfies readonly (keyof ProcessOptions)[]

const STDIO: readonly unknown[] = ['inherit', 'ignore', 'pipe'] satisfies readonly Stdio[]

const LIMITS = [
  'maxOldGenerationSizeMb',
  'maxYoungGenerationSizeMb',
  'codeRangeSizeMb',
  'stackSizeMb',
] as const satisfies readonly (keyof ResourceLimits)[]

/** Throws a TypeError or a RangeError for what a Process cannot be made of. */
export function checkOptions<A extends unknown[], R>(options: ProcessOptions<A, R>): ProcessOptions<A, R> {
  if (!isObject(options)) throw new TypeError('a Process takes an object of options, such as { target, args }')
  checkKeys('a Process', options, OPTIONS)
  const { target, args, name, daemon, signal, cwd, stdio, env, execArgv, resourceLimits } = options
  if (args !== undefined && !(isObject(args) && Symbol.iterator in args)) {
    throw new TypeError('args must be an array: the arguments of the target')
  }
  if (target === undefined && args !== undefined && Array.from(args).length > 0) {
    throw new TypeError('args without a target: is the function undefined here?')
  }
  checkType('name', name, 'string')
  checkType('daemon', daemon, 'boolean')
  checkType('cwd', cwd, 'string')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('signal must be an AbortSignal')
  if (env !== undefined && !(isObject(env) && Object.values(env).every(isString)))
    throw new TypeError('env must be an object of strings')
  if (execArgv !== undefined && !(Array.isArray(execArgv) && execArgv.every(isString)))
    throw new TypeError('execArgv must be an array of strings')
  if (stdio !== undefined && !STDIO.includes(stdio))
    throw new TypeError(`stdio must be one of '${STDIO.join("', '")}', not ${JSON.stringify(stdio)}`)
  if (resourceLimits !== undefined) checkLimits(resourceLimits)
  return options
}

function checkLimits(limits: ResourceLimits): void {
  if (!isObject(limits)) throw new TypeError('resourceLimits must be an object, such as { maxOldGenerationSizeMb: 64 }')
  checkKeys('resourceLimits', limits, LIMITS)
  for (const key of LIMITS) {
    checkType(key, limits[key], 'number')
    if (limits[key] !== undefined && !(limits[key] > 0 && limits[key] < Number.POSITIVE_INFINITY))
      throw new RangeError(`${key} must be a number of MiB above 0, not ${limits[key]}`)
  }
}

function checkKeys(what: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find(key => !known.includes(key))
  if (unknown !== undefined) throw new TypeError(`${what} has no option '${unknown}', only ${known.join(', ')}`)
}

function checkType(name: string, value: unknown, type: 'string' | 'boolean' | 'number'): void {
  if (value !== undefined && typeof value !== type)
    throw new TypeError(`${name} must be a ${type}, not ${typeof value}`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}
