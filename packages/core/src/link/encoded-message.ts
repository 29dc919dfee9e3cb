import type { Parcel } from './wire-end.js'

/** An encoded value, `bytes[start, end)`, and what rides beside it. Nobody looks into the bytes but its reader. */
export interface EncodedMessage {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly parcels: readonly Parcel[] | undefined
}
