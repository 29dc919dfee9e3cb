// Describes while it is still running, before its exports are set: what a program in one CommonJS file does.
const describeTarget = globalThis.targetModule?.describeTarget

function work() {
  return 'running'
}
const makeWork = () => {
  function work() {
    return 'running'
  }
  return work
}
const attempt = target => {
  try {
    return describeTarget?.(target)
  } catch (error) {
    return { code: error.code }
  }
}
const references = {
  work: attempt(work),
  local: attempt(makeWork()),
  closure: attempt(
    (() => {
      const inner = () => inner
      return inner
    })(),
  ),
}
module.exports = { work, references }
