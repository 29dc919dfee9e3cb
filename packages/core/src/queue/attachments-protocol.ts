/** What a holder of a native queue says to the home of its attachments, and what that answers, beside broker/protocol.ts. */

/** Holder to home: who it is. Body: its context's id. */
export const NAME = 52
/** Holder to home: what rides beside an item. Body: the item's key. */
export const DEPOSIT = 53
/** Holder to home: asks for what rides beside an item that it has taken. Body: call, the item's key. */
export const COLLECT = 54
/** Home to holder: what was collected. Body: call. */
export const COLLECTED = 36
/** Home to holder: what was collected is gone with the context that had put it. Body: call. */
export const GONE = 37
