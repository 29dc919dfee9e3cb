/**
 * What a holder of a queue and its home say to each other, beside what broker/protocol.ts has. Every message but items is a few
 * numbers (u32). `call` numbers a holder's pending calls; the answer carries it back. `place` numbers what home sends to one
 * holder; see broker/board.ts.
 */

/** Holder to home: an item for an unbounded queue. Body: the encoded value. */
export const PUT = 16
/** Holder to home: asks for a slot of a bounded queue. Body: call, 1 to be refused rather than wait. */
export const RESERVE = 17
/** Holder to home: the item for a granted slot. Body: the encoded value. */
export const FILL = 18
/** Holder to home: slots that were granted and are not used. Body: how many. */
export const UNRESERVE = 19
/**
 * Holder to home: how many calls wait for an item. It is a state and no event: each WANT replaces the one before. Body: the last
 * place that has come here; how many calls wait, beyond what has come; how many of them cannot give up; ns that an item takes
 * here, 0 where that is not known.
 */
export const WANT = 20
/** Holder to home: an ITEM that nobody here waits for any more. Body: place, the encoded value. */
export const UNGET = 21
/** Holder to home: asks for the counts, after everything sent before. Body: call. */
export const QUERY = 23
/** Holder to home. Body: 1 for immediate. */
export const SHUT_DOWN = 24
/** Holder to home: an item has been dealt with. Body: call. */
export const TASK_DONE = 28
/** Holder to home: answer when all items have been dealt with. Body: call. */
export const AWAIT_TASKS = 29
/** Holder to home: answer when a get would not wait. Body: call, 1 to be refused rather than wait. */
export const WATCH = 30
/** Holder to home: asks for an item, and does not wait. DONE: one has come. Body: call, the last place that has come here. */
export const TRY = 31
/** Holder to home: what was sent as ITEM is claimed; or something on the board, after which home has asked. Body: place, 0 for the board. */
export const CLAIMED = 55
/** Holder to home: whether it could open the board. Body: 1 if so. */
export const OPENED = 56
/** Holder to home: it has noticed that something was taken back, and waits for GO_ON. */
export const NOTICED = 59

/** Home to holder: a slot is yours, and more, until this turn's end. Body: call, how many more. */
export const GRANTED = 32
/** Home to holder: full, empty, or shut down (the reason, below). Body: call, reason. */
export const REFUSED = 33
/** Home to holder: Body: call, qsize, 1 if full, 1 if shut down. */
export const COUNTS = 34
/** Home to holder: so it is. Body: call. */
export const DONE = 35

/** Home to holder: an item, to be claimed by CLAIMED. Body: place, the encoded value. */
export const ITEM = 48
/** Home to holder: items, to be claimed on the board. Body: the first's place, then of each its length and the encoded value. */
export const ITEMS = 49
/** Home to holder: the queue was shut down, by anyone. */
export const WAS_SHUT_DOWN = 50
/** Home to holder: a board. Body: slot, and where it is (text); its memory may ride along. */
export const BOARD = 51
/** Home to holder: the answer to NOTICED. What came on the board before is void; what comes from here on is not. */
export const GO_ON = 60
/** Home to holder: it was shut down, and nothing will come: all calls that wait for an item are refused. */
export const EXHAUSTED = 57
/** Home to holder: the oldest call that waits for an item is refused. Body: the reason. */
export const NO_ITEM = 58

export const REASON_WAIT = 0
export const REASON_SHUT_DOWN = 1
/** What is next holds a handle, and the holder is another program. */
export const REASON_NOT_SHAREABLE = 2
