/** By the token of a wire: how many of its ends are open in this context. While one is, something may still come over it. */
const open = new Map<string, number>()

export function opened(token: string): void {
  open.set(token, (open.get(token) ?? 0) + 1)
}

export function closed(token: string): void {
  const left = (open.get(token) ?? 0) - 1
  if (left > 0) open.set(token, left)
  else open.delete(token)
}

export function isOpen(token: string): boolean {
  return open.has(token)
}
