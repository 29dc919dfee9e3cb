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
/** Holder to home: forget this call. Body: call. */
export const CANCEL = 22
/** Holder to home: asks for the counts, after everything sent before. Body: call. */
export const QUERY = 23
/** Holder to home. Body: 1 for immediate. */
export const SHUT_DOWN = 24
/** Holder to home: another holder joins, over the end of a wire that comes with this. */
export const JOIN = 25

/** Holder to home: it has opened its end, and will answer. */
export const HELLO = 26
/** Holder to home: an item has been dealt with. Body: call. */
export const TASK_DONE = 28
/** Holder to home: answer when all items have been dealt with. Body: call. */
export const AWAIT_TASKS = 29
/** Holder to home: answer when a get would not wait. Body: call, 1 to be refused rather than wait. */
export const WATCH = 30
/** Holder to home: answer when everything sent before has been dealt with. Body: call. */
export const SETTLE = 27

/** Home to holder: a slot is yours. Body: call. */
export const GRANTED = 32
/** Home to holder: full, empty, or shut down (the reason, below). Body: call, reason. */
export const REFUSED = 33
/** Home to holder: Body: call, qsize, 1 if full, 1 if shut down. */
export const COUNTS = 34

/** Home to holder: so it is. Body: call. */
export const DONE = 35
/** Home to holder: the answer to SETTLE. Body: call. */
export const SETTLED = 47

/** Home to holder: an item. Body: call, the item's number among all that were handed out, the encoded value. */
export const ITEM = 48
/** Home to holder: an UNGET has come. */
export const UNGOT = 49
/** Home to holder: the queue was shut down, by anyone. */
export const WAS_SHUT_DOWN = 50

/** Of the messages to a holder, those whose body starts with the number of the call that they answer. */
export function isAnswer(type: number): boolean {
  return type >= GRANTED && type <= SETTLED
}

/** Of a native queue, holder to home: who it is. Body: its context's id. */
export const NAME = 52
/** Holder to home: what rides beside an item. Body: the item's key. */
export const DEPOSIT = 53
/** Holder to home: asks for what rides beside an item that it has taken. Body: call, the item's key. */
export const CLAIM = 54
/** Home to holder: what was claimed. Body: call. */
export const COLLECT = 36
/** Home to holder: what was claimed is gone with the context that had put it. Body: call. */
export const GONE = 37

export const REASON_WAIT = 0
export const REASON_SHUT_DOWN = 1
/** What is next holds a handle, and the holder is another program. */
export const REASON_NOT_SHAREABLE = 2
