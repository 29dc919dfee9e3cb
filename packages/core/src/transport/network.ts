import type { Wire } from './wire.js'

export interface Network {
  /**
   * Listens, until the result is disposed of.
   *
   * - Gives each connection to `accept`, from the event loop, as it comes.
   * - Absent address: a fresh one that only this user can reach.
   * - Rejects with the system's error, such as EADDRINUSE if somebody listens there already.
   * - Throws TypeError or RangeError for what can be no address.
   */
  listen(address: string | undefined, accept: (wire: NetworkWire) => void): Promise<Listening>
  /** Connects. A failure closes the wire with the system's error (ENOENT, ECONNREFUSED). Throws as `listen` does. */
  dial(address: string): NetworkWire
}

export interface Listening extends AsyncDisposable {
  readonly address: string
}

/** A wire to a program that has not shown yet who it is. */
export interface NetworkWire extends Wire {
  /** Lifts the limit of 256 bytes a frame. Until then a longer frame closes the wire, with MP_AUTH or MP_DECODE. */
  trust(): void
}
