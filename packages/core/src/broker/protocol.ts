/**
 * What a holder of any brokered object and its home say to each other. Such an object is a queue, a semaphore, a barrier, or the
 * attachments of a native queue. Each kind adds messages of its own. `call` numbers a holder's pending calls; the answer carries
 * it back.
 */

/** Holder to home: forget this call. Body: call. */
export const CANCEL = 22
/** Holder to home: another holder joins. The end of a wire to it comes with this, as a parcel. */
export const JOIN = 25
/** Holder to home: it has opened its end, and will answer from now on. Body: the id of its context. */
export const HELLO = 26
/** Holder to home: answer when everything sent before has been dealt with. Body: call. */
export const SETTLE = 27
/** Home to holder: the answer to SETTLE. Body: call. */
export const SETTLED = 47

/** Whether a message to a holder answers a call. Then its body begins with the number of the call. */
export function isAnswer(type: number): boolean {
  return type >= 32 && type <= SETTLED
}
