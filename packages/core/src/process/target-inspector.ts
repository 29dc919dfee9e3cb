import type { Session } from 'node:inspector'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MpError } from '../errors.js'

/** What V8's inspector knows of a function. Lines and columns count from 0, in the text that was run, not in its sources. */
export interface FunctionOrigin {
  /** 'script' has a location; the others have none. */
  readonly kind: 'script' | 'bound' | 'proxy' | 'native'
  /** The URL that `import()` takes, where the script has one. */
  readonly url?: string
  /** What V8 calls the script, for messages: '[eval]', 'REPL1', 'node:fs', '' for `new Function`. */
  readonly scriptName?: string
  readonly position?: Position
  /** From the outermost scope to the innermost. */
  readonly scopes: readonly Scope[]
}

interface Position {
  readonly line: number
  readonly column: number
}

interface Scope {
  /** 'Module', 'Closure', 'Closure (name)', 'Block', 'Global', ... */
  readonly type: string
  /** The bindings that hold this very function, except those whose name an outer scope has too. */
  readonly names: readonly string[]
}

// No other text is ever evaluated, and nothing is ever put into these. The function is handed over in a property of the inspector
// module. A program may freeze globalThis, but not that module, and each vm context (vitest, Jest) sees the same one.
const KEY = Symbol.for('@mp/core target')
const TAKE_TARGET = "process.getBuiltinModule('node:inspector')[Symbol.for('@mp/core target')]"
const FIND_BINDINGS = `function (target) {
  const outerNames = new Set()
  const found = []
  for (let i = this.length - 1; i >= 0; i--) {
    const { description, object } = this[i]
    const names = []
    if (!/^(Global|Script|With)/.test(description)) {
      const own = Object.keys(object)
      for (const name of own) if (object[name] === target && !outerNames.has(name)) names.push(name)
      for (const name of own) outerNames.add(name)
    }
    found.push({ type: description, names })
  }
  return found
}`

/**
 * Finds out where a function comes from, and by which names its own scopes know it. Synchronous. Leaves no session and no
 * debugger behind.
 *
 * @throws {MpError} MP_NOT_SUPPORTED: there is no inspector (under `--permission`, or in a Node.js built without one).
 */
export function inspectFunction(target: object): FunctionOrigin {
  return withSession(session => {
    const { objectId, internal } = properties(session, target)
    if (internal.has('[[TargetFunction]]')) return { kind: 'bound', scopes: [] }
    if (internal.has('[[Handler]]')) return { kind: 'proxy', scopes: [] }
    const location = internal.get('[[FunctionLocation]]')?.value
    const scopesId = internal.get('[[Scopes]]')?.objectId
    if (!location || !scopesId) return { kind: 'native', scopes: [] }
    const found = post<{ result: { value?: Scope[] } }>(session, 'Runtime.callFunctionOn', {
      objectId: scopesId,
      functionDeclaration: FIND_BINDINGS,
      arguments: [{ objectId }],
      returnByValue: true,
      silent: true,
    })
    const script = findScript(session, location.scriptId)
    return {
      kind: 'script',
      ...script,
      position: { line: location.lineNumber, column: location.columnNumber },
      scopes: found.result.value ?? [],
    }
  })
}

/** Where each function starts in its script; undefined for one that is not written in JavaScript. Throws as {@link inspectFunction}. */
export function locateFunctions(targets: readonly object[]): (Position | undefined)[] {
  return withSession(session =>
    targets.map(target => {
      const location = properties(session, target).internal.get('[[FunctionLocation]]')?.value
      return location && { line: location.lineNumber, column: location.columnNumber }
    }),
  )
}

interface RemoteValue {
  readonly objectId?: string
  readonly value?: { scriptId: string; lineNumber: number; columnNumber: number }
}

interface Script {
  readonly scriptName: string
  readonly url?: string
}

function withSession<T>(use: (session: Session) => T): T {
  let session: Session
  try {
    // A static import would cost each program start time, and would throw in a Node.js that has no inspector.
    session = new (process.getBuiltinModule('node:inspector').Session)()
    session.connect()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new MpError(
      'MP_NOT_SUPPORTED',
      `Finding the module of a function takes the inspector, which is not available here (${why}): under --permission, pass { module: new URL('./module.js', import.meta.url), export: 'name' } as the target`,
      { cause },
    )
  }
  try {
    return use(session)
  } finally {
    session.disconnect()
  }
}

/** Sessions within the process answer before `post` returns, also in worker threads. */
function post<T>(session: Session, method: string, params: object = {}): T {
  let answer: { error: Error | null; result: T | undefined } | undefined
  session.post(method, params, (error: Error | null, result: unknown) => {
    answer = { error, result: result as T | undefined }
  })
  if (answer?.result !== undefined) return answer.result
  throw new MpError('MP_NOT_SUPPORTED', `The inspector gave no answer to ${method}`, { cause: answer?.error })
}

function properties(session: Session, target: object): { objectId: string; internal: Map<string, RemoteValue> } {
  const inspector = process.getBuiltinModule('node:inspector') as { [KEY]?: object }
  let objectId: string
  inspector[KEY] = target
  try {
    const params = { expression: TAKE_TARGET, silent: true }
    objectId = post<{ result: { objectId: string } }>(session, 'Runtime.evaluate', params).result.objectId
  } finally {
    delete inspector[KEY]
  }
  const { internalProperties = [] } = post<{ internalProperties?: { name: string; value?: RemoteValue }[] }>(
    session,
    'Runtime.getProperties',
    { objectId, ownProperties: true },
  )
  return { objectId, internal: new Map(internalProperties.map(({ name, value }) => [name, value ?? {}])) }
}

/** By script id, which is never used again within a thread. Holds the scripts that were live at the last look. */
const scripts = new Map<string, Script>()

/** V8 names every script when the debugger is enabled. That takes 20 ms, and 25 us more for each module of the program. */
function findScript(session: Session, scriptId: string): Script | undefined {
  if (scripts.has(scriptId)) return scripts.get(scriptId)
  scripts.clear()
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, describeScript(params)))
  try {
    post(session, 'Debugger.enable')
  } finally {
    post(session, 'Debugger.disable')
  }
  return scripts.get(scriptId)
}

/** A `//# sourceURL=` replaces `url` but not `embedderName`. Code made by eval has no `embedderName`. */
function describeScript({ url, embedderName }: { url: string; embedderName?: string }): Script {
  const scriptName = embedderName || url
  if (/\/\[(eval\d*|stdin)\]$/.test(scriptName)) return { scriptName }
  if (/^(file|https?):/.test(scriptName)) return { scriptName, url: scriptName }
  return isAbsolute(scriptName) ? { scriptName, url: pathToFileURL(scriptName).href } : { scriptName }
}
