/**
 * What a holder of a queue and its home say to each other, in addition to broker/protocol.ts. The numbers in bodies are u32.
 * `call` numbers a holder's pending calls; the answer carries it back. `place` numbers what home sends to one holder, see
 * board/board.ts.
 */

/** Holder to home: an item for an unbounded queue. Body: the encoded value. */
export const PUT = 16
/** Holder to home: asks for a slot of a bounded queue. Body: call, 1 to be refused if there is none. */
export const RESERVE = 17
/** Holder to home: the item for a granted slot. Body: the encoded value. */
export const FILL = 18
/** Holder to home: gives back slots that were granted and are not used. Body: how many. */
export const UNRESERVE = 19
/**
 * Holder to home: how many calls wait for an item. This is a state, not an event: each WANT replaces the one before. Body:
 *
 * - the last place that has come to the holder;
 * - how many calls wait, beyond what has come;
 * - how many of them cannot give up;
 * - ns that an item takes there, 0 if not known.
 */
export const WANT = 20
/** Holder to home: gives back an ITEM that no call waits for any more. Body: place, the encoded value. */
export const UNGET = 21
/** Holder to home: asks for the counts, after everything sent before. Body: call. */
export const QUERY = 23
/** Holder to home: shuts the queue down, for all. Body: 1 to drop the items. */
export const SHUT_DOWN = 24
/** Holder to home: an item has been dealt with that another context may have taken. Body: call. */
export const TASK_DONE = 28
/** Holder to home: answer when all items have been dealt with. Body: call. */
export const AWAIT_TASKS = 29
/** Holder to home: an item that this holder has taken has been dealt with. Needs no answer. */
export const TASK_OVER = 62
/** Holder to home: answer when a get would not wait. Body: call, 1 to be refused if it would wait now. */
export const WATCH = 30
/**
 * Holder to home: asks for an item, and does not wait. DONE says that one was sent. Body: call, the last place that has come to
 * the holder, how many calls wait.
 */
export const TRY = 31
/**
 * Holder to home: everything up to `place`, which came as ITEM, is claimed. Or, with 0: something was claimed on the board, and
 * home had asked to be told. Body: place or 0.
 */
export const CLAIMED = 55
/** Holder to home: whether it could open the board. Body: 1 if it could. */
export const OPENED = 56
/** Holder to home: it has items and takes none, while others wait. */
export const IDLE = 61
/** Holder to home: it has noticed that something was taken back, and waits for GO_ON. */
export const NOTICED = 59

/** Home to holder: grants a slot, and more slots until the end of the holder's turn. Body: call, how many more. */
export const GRANTED = 32
/** Home to holder: the call is refused. Body: call, one of the reasons below. */
export const REFUSED = 33
/** Home to holder: the answer to QUERY. Body: call, size, 1 if full, 1 if shut down. */
export const COUNTS = 34
/** Home to holder: what the call asked for is done, or is so now. Body: call. */
export const DONE = 35

/** Home to holder: an item that CLAIMED claims. Body: place, the encoded value. */
export const ITEM = 48
/** Home to holder: items that are claimed on the board. Body: the first one's place; for each its length and encoded value. */
export const ITEMS = 49
/** Home to holder: the queue was shut down, by anyone. */
export const WAS_SHUT_DOWN = 50
/** Home to holder: offers a board. Body: slot, and text that says where it is. Shared memory comes as a parcel. */
export const BOARD = 51
/** Home to holder: the answer to NOTICED. What came on the board before this is void; what comes after it is not. */
export const GO_ON = 60
/** Home to holder: the queue was shut down and nothing more will come. All calls that wait for an item are refused. */
export const EXHAUSTED = 57
/** Home to holder: the oldest call that waits for an item is refused. Body: one of the reasons below. */
export const NO_ITEM = 58

/** The call would have to wait: the queue is full or empty, or, to TASK_DONE, no task is left. */
export const REASON_WAIT = 0
export const REASON_SHUT_DOWN = 1
/** The next item holds a handle, and the holder is another program. */
export const REASON_NOT_SHAREABLE = 2
