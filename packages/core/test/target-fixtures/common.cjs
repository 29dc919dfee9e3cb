function work() {
  return 'work'
}
module.exports.work = work
exports.property = function anotherName() {
  return 'property'
}
exports.arrow = () => 'arrow'

// Node.js cannot see such names from outside: they are properties of the default export only.
for (const name of ['computed']) exports[name] = () => name

const makeWork = () => {
  function work() {
    return 'work'
  }
  return work
}
Object.defineProperty(exports, 'throwing', {
  enumerable: true,
  get() {
    throw new Error('a getter of the module')
  },
})
function unexported() {}
Object.defineProperty(exports, 'refused', { value: { local: makeWork(), unexported } })
