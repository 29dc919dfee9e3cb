import { readFile } from 'node:fs'
import { runInThisContext } from 'node:vm'
import { twin as importedTwin } from './twin.mjs'

export { other } from './other.mjs'

export function plain() {
  return `plain ${captured()}`
}

export const arrow = () => 'arrow'
export const asynchronous = async () => 'asynchronous'
export function* generator() {
  yield 'generator'
}
export async function* asyncGenerator() {
  yield 'asyncGenerator'
}

function inner() {
  return 'inner'
}

export { inner as renamed }

// Names that cross: each function is exported under the name of the other.
function left() {
  return 'left'
}
function right() {
  return 'right'
}

export { left as right, right as left }

export default function named() {
  return 'named'
}

const makeClosure = word => () => word
export const firstClosure = makeClosure('first')
export const secondClosure = makeClosure('second')

export const expression = function itself() {
  return typeof itself
}

// An unexported function that has the name of an export, which is another function of that name.
function alias() {
  return `not this alias ${importedTwin()}`
}
const { alias: exportedAlias } = { alias: () => 'alias' }

export { exportedAlias as aliased }

function captured() {
  return 'captured'
}

function unexported() {}

export function twin() {
  return 'twin'
}

function makeTwin() {
  function twin() {
    return 'twin'
  }
  return twin
}

function makeCapturedTwin() {
  function twin() {
    return twin.name
  }
  return twin
}

const thirdClosure = makeClosure('third')

class Local {
  static work() {}
  work() {}
}

export class Exported {}

const object = { work() {}, default() {}, arrow: () => {}, class() {} }

export const touch = () => [alias, thirdClosure]

/** By what the message must say. */
export const refused = {
  unexported: [unexported, 'not exported'],
  local: [makeTwin(), 'not exported'],
  capturedLocal: [makeCapturedTwin(), 'not exported'],
  closure: [makeClosure('fourth'), 'not exported'],
  method: [object.work, 'not exported'],
  methodCalledDefault: [object.default, 'not exported'],
  methodCalledClass: [object.class, 'not exported'],
  arrowInObject: [object.arrow, 'not exported'],
  classMethod: [Local.prototype.work, 'not exported'],
  staticMethod: [Local.work, 'not exported'],
  boundFunction: [plain.bind(null), 'bound'],
  proxy: [new Proxy(plain, {}), 'Proxy'],
  class: [Exported, 'class'],
  native: [Math.max, 'built into'],
  builtin: [readFile, 'built into'],
  evaluated: [new Function('return function plain() {}')(), 'eval or new Function'],
  evaluatedScript: [runInThisContext('(function plain() {})'), 'evalmachine'],
  constructed: [new Function('return 1'), 'eval or new Function'],
  evaluatedWithUrl: [new Function('return function plain() {}\n//# sourceURL=nowhere')(), 'nowhere'],
}

/** Variables of the module, but no exports: only the child can tell. */
export const refusedByChild = { captured, alias, thirdClosure }
