// A file of its own that imports nothing: what it would import, its start would pay for.

export function hello(greeting: string): string {
  return greeting
}
