/** What a child runs, from the fixtures. */
export function target(name: string): { module: URL; export: string } {
  return { module: new URL('./fixtures/targets.mjs', import.meta.url), export: name }
}
