// What compilers make of `export default function work() {}`.
Object.defineProperty(exports, '__esModule', { value: true })
exports.default = function work() {
  return 'default of a compiled module'
}
