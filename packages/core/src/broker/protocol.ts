/**
 * What every holder of a brokered object (a queue, a semaphore, a barrier, the attachments of a native queue) and its home say to
 * each other. Each kind adds messages of its own. `call` numbers a holder's pending calls; the answer carries it back.
 */

/** Holder to home: forget this call. Body: call. */
export const CANCEL = 22
/** Holder to home: another holder joins, over the end of a wire that comes with this. */
export const JOIN = 25
/** Holder to home: it has opened its end, and will answer. Body: the id of its context. */
export const HELLO = 26
/** Holder to home: answer when everything sent before has been dealt with. Body: call. */
export const SETTLE = 27
/** Home to holder: the answer to SETTLE. Body: call. */
export const SETTLED = 47

/** Of the messages to a holder, those whose body starts with the number of the call that they answer. */
export function isAnswer(type: number): boolean {
  return type >= 32 && type <= SETTLED
}
