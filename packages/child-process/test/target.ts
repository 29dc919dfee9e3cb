/** A function of the fixtures, for a child to run. */
export function target(name: string): { module: URL; export: string } {
  return { module: new URL('./fixtures/targets.mjs', import.meta.url), export: name }
}
