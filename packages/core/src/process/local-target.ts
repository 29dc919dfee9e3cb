/** A target of a child in the same thread, which must not import a module that may still be running. */
export interface LocalTarget {
  readonly local: number
}

type AnyFunction = (...args: unknown[]) => unknown

const handed = new Map<number, AnyFunction>()
let nextHanded = 1

export function handTarget(target: AnyFunction): LocalTarget {
  handed.set(nextHanded, target)
  return { local: nextHanded++ }
}

export function takeTarget({ local }: LocalTarget): AnyFunction {
  const target = handed.get(local) as AnyFunction
  handed.delete(local)
  return target
}
