import { MpError } from '../errors.js'
import { malformed } from './decode-error.js'
import { ErrorKind, errorClasses } from './graph-format.js'
import { type RegisteredType, registry } from './registered-type.js'
import { attempt, builtInErrorName, isOdd, realmClass, remoteName } from './value-kinds.js'

/** As what an error travels: its kind and the name of its class. `registered`: its class, if it is registered. */
export function classify(
  error: object,
  prototype: object,
  registered: RegisteredType | undefined,
): [kind: number, name: string] {
  if (registered !== undefined) return [ErrorKind.Registered, plainName(registered.name)]
  if (typeof DOMException === 'function' && prototype === DOMException.prototype) {
    return [ErrorKind.DomException, plainName(attempt(() => (error as Error).name))]
  }
  const builtIn = builtInErrorName(prototype)
  if (builtIn !== undefined) return [ErrorKind.BuiltIn, builtIn]
  const name = attempt(() => remoteName(error as Error))
  // By name, since this module may be there twice.
  const isOurs = name === 'MpError' && typeof attempt(() => (error as MpError).code) === 'string'
  return [isOurs ? ErrorKind.Mp : ErrorKind.Remote, plainName(name)]
}

function plainName(name: unknown): string {
  return typeof name === 'string' && !isOdd(name) ? name : 'Error'
}

/** Whether a property that an error has from its class must be told, because the other side makes another class of it. */
export function isInherited(key: string, kind: number): boolean {
  if (key === 'stack') return true
  if (key === 'message') return kind !== ErrorKind.BuiltIn && kind !== ErrorKind.Registered
  return key === 'code' && kind === ErrorKind.Remote
}

/** An error without properties, of the class that {@link classify} named; MP_REMOTE for a class that is not known here. */
export function makeError(kind: unknown, name: string): Error {
  switch (kind) {
    case ErrorKind.BuiltIn:
      if (!errorClasses.includes(name)) throw malformed('the class of an error')
      if (name === 'AggregateError') return new AggregateError([])
      return new (realmClass(name) as unknown as ErrorConstructor)()
    case ErrorKind.DomException:
      return new DOMException('', name)
    case ErrorKind.Mp:
      return new MpError('MP_REMOTE', '')
    case ErrorKind.Registered: {
      const entry = registry().byName.get(name)
      if (entry !== undefined) return Object.setPrototypeOf(new Error(), entry.type.prototype as object) as Error
      return remoteError(name)
    }
    case ErrorKind.Remote:
      return remoteError(name)
    default:
      throw malformed('the kind of an error')
  }
}

function remoteError(name: string): MpError {
  const error = new MpError('MP_REMOTE', '')
  error.name = name
  return error
}
