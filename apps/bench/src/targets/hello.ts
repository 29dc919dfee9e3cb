// A separate file that imports nothing: imports would make the measured start slower.

export function hello(greeting: string): string {
  return greeting
}
