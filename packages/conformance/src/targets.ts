/**
 * What the suite's children run. Children import this module, so it imports nothing; a target that needs the transport's own
 * API is given what to import.
 */

import type { BoundContext } from '@mp/core'

function load(module: string): Promise<BoundContext> {
  return import(/* @vite-ignore */ module) as Promise<BoundContext>
}

export function nothing(): void {}

export async function namesOfOwnProcesses(module: string): Promise<string[]> {
  const { Process } = await load(module)
  return [new Process().name, new Process().name]
}

export async function daemonFlags(module: string) {
  const { Process, currentProcess } = await load(module)
  return {
    own: currentProcess().daemon,
    inherited: new Process().daemon,
    overridden: new Process({ daemon: false }).daemon,
  }
}
