// Describes every function of the fixtures beside it and prints the references, refusals, and whether loading one in this
// same context gives the very same function.
import { createRequire } from 'node:module'
import { isMainThread, Worker } from 'node:worker_threads'

const [, , targetUrl, where] = process.argv
if (where === 'thread' && isMainThread) {
  new Worker(new URL(import.meta.url), { argv: [targetUrl, where] })
} else {
  const target = await import(targetUrl)
  globalThis.targetModule = target
  const globals = Reflect.ownKeys(globalThis)
  const { refused, refusedByChild, ...exported } = await import('./exports.mjs')
  const require = createRequire(import.meta.url)
  const common = require('./common.cjs')
  const accepted = {
    ...exported,
    defaultFunction: (await import('./default-function.mjs')).default,
    defaultArrow: (await import('./default-arrow.mjs')).default,
    query: (await import('./other.mjs?v=2')).other,
    commonDeclared: common.work,
    commonProperty: common.property,
    commonArrow: common.arrow,
    commonComputed: common.computed,
    commonWhole: require('./common-whole.cjs'),
    commonDefault: require('./common-default.cjs').default,
  }
  delete accepted.Exported

  const described = {}
  for (const [label, fn] of Object.entries(accepted)) {
    const reference = target.describeTarget(fn)
    described[label] = { reference, same: (await target.loadTarget(reference)) === fn }
  }
  const refusals = {}
  const attempt = (label, fn, expected) => {
    try {
      refusals[label] = { reference: target.describeTarget(fn) }
    } catch ({ code, message }) {
      refusals[label] = { code, message, expected }
    }
  }
  for (const [label, [fn, expected]] of Object.entries(refused)) attempt(label, fn, expected)
  for (const [label, fn] of Object.entries(common.refused)) attempt(`common ${label}`, fn, 'not exported')
  const byChild = {}
  for (const [label, fn] of Object.entries(refusedByChild)) byChild[label] = target.describeTarget(fn)
  const clean = Reflect.ownKeys(globalThis).length === globals.length
  console.log(JSON.stringify({ described, refusals, byChild, running: require('./running.cjs').references, clean }))
}
