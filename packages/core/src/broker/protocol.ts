/**
 * What a holder of a queue and its home say to each other. Every message but items is a few numbers (u32).
 * `call` numbers a holder's pending calls; the answer carries it back.
 */

/** Holder to home: an item for an unbounded queue. Body: the encoded value. */
export const PUT = 16
/** Holder to home: asks for a slot of a bounded queue. Body: call, 1 to be refused rather than wait. */
export const RESERVE = 17
/** Holder to home: the item for a granted slot. Body: the encoded value. */
export const FILL = 18
/** Holder to home: a slot that was granted after the caller had given up. */
export const UNRESERVE = 19
/** Holder to home: asks for an item. Body: call, 1 to be refused rather than wait. */
export const GET = 20
/** Holder to home: an item that nobody here waits for any more; it goes back to its place. Body: its number, the encoded value. */
export const UNGET = 21
/** Holder to home: forget this RESERVE or GET. Body: call. */
export const CANCEL = 22
/** Holder to home: asks for the counts, after everything sent before. Body: call. */
export const QUERY = 23
/** Holder to home. Body: 1 for immediate. */
export const SHUT_DOWN = 24
/** Holder to home: another holder joins, over the end of a wire that comes with this. */
export const JOIN = 25

/** Holder to home: it has opened its end, and will answer. Body: the holder's context. */
export const HELLO = 26
/** Holder to home: what rides beside an item of a native queue. Body: the item's key. */
export const DEPOSIT = 27
/** Holder to home: asks for what rides beside an item of a native queue that it has taken. Body: call, the item's key. */
export const CLAIM = 28

/** Home to holder: a slot is yours. Body: call. */
export const GRANTED = 32
/** Home to holder: full, empty, or shut down (the reason, below). Body: call, reason. */
export const REFUSED = 33
/** Home to holder: an item. Body: call, the item's number among all that were handed out, the encoded value. */
export const ITEM = 34
/** Home to holder: Body: call, qsize, 1 if full, 1 if shut down. */
export const COUNTS = 35
/** Home to holder: an UNGET has come. */
export const UNGOT = 37
/** Home to holder: the queue was shut down, by anyone. */
export const WAS_SHUT_DOWN = 36

/** Home to holder: what was claimed. Body: call. */
export const COLLECT = 38
/** Home to holder: what was claimed is gone with the context that had put it. Body: call. */
export const GONE = 39

export const REASON_WAIT = 0
export const REASON_SHUT_DOWN = 1
