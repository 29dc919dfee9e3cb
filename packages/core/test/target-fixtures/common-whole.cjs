module.exports = function whole() {
  return 'whole'
}
