import type { Transport } from '@mp/core/spi'

/** Transports that are wrong in one way each, and where the suite must fail them. */
export const all: Record<
  string,
  { readonly transport: Transport; readonly fails: readonly (readonly [group: string, caseBegins: string])[] }
>
