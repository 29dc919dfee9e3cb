/**
 * What a holder of a semaphore or a barrier and its home say to each other, in addition to `broker/protocol.ts`. The numbers in
 * bodies are u32. `call` numbers a holder's pending calls; the answer carries it back. The messages of a context are dealt with
 * in their order.
 */

/** Holder to semaphore: asks for a permit. Body: call, 1 to see and not to hold, 1 to be refused if none is free. */
export const ACQUIRE = 16
/** Holder to semaphore: gives a permit back. Body: the grant, 1 if it was abandoned and nobody has been told. */
export const RELEASE = 17
/** Holder to semaphore: a permit is used up. Body: the grant. */
export const CONSUME = 18
/** Holder to semaphore: adds permits. Body: call, how many, 1 for all of them or none. */
export const POST = 19
/** Holder to semaphore: asks how many permits are free. Body: call. */
export const VALUE = 20
/** Semaphore to holder: grants a permit. Body: call, the grant, 1 if it was abandoned, 1 if it may linger. */
export const GRANTED = 32
/** Semaphore to holder: no permit is free, or the post would exceed the limit. Body: call. */
export const REFUSED = 33
/** Semaphore to holder: the permits were added. Body: call. */
export const POSTED = 34
/** Semaphore to holder: the answer to VALUE. Body: call, how many permits are free. */
export const VALUE_IS = 35
/** Semaphore to holder: another context gave a grant of this holder back. Body: the grant. */
export const REVOKED = 48

/** Holder to barrier: a call arrives. Body: call, 1 to break the barrier if it would wait. A CANCEL of it breaks the barrier. */
export const ARRIVE = 16
/** Holder to barrier: breaks it. Body: call. */
export const ABORT = 17
/** Holder to barrier: makes it as new. Body: call. */
export const RESET = 18
/** Holder to barrier: asks for its state. Body: call. */
export const STATE = 19
/** Barrier to holder: all have arrived. Body: call, index. */
export const PASSED = 32
/** Barrier to holder: it is broken. Body: call, then the encoded error that broke it, if there is one. */
export const BROKEN = 33
/** Barrier to holder: ABORT or RESET is done. Body: call. */
export const DONE = 34
/** Barrier to holder: the answer to STATE. Body: call, how many wait, 1 if it is broken. */
export const STATE_IS = 35
