import type { Transport } from '@mp/core/spi'

/** Transports each of which is wrong in one way, and the cases that must fail. */
export const all: Record<
  string,
  { readonly transport: Transport; readonly fails: readonly (readonly [group: string, caseBegins: string])[] }
>
