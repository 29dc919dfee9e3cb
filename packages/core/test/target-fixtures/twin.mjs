export function twin() {
  return 'twin of another module'
}
