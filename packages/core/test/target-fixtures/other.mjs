export function other() {
  return 'other'
}
