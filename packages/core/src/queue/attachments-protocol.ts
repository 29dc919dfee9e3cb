/** What a holder of a native queue and the home of its attachments say to each other, in addition to broker/protocol.ts. */

/** Holder to home: who it is. Body: the id of its context. */
export const NAME = 52
/** Holder to home: the attachments of an item, as parcels. Body: the item's key. */
export const DEPOSIT = 53
/** Holder to home: asks for the attachments of an item that it takes. Body: call, the item's key. */
export const COLLECT = 54
/** Home to holder: the attachments, as parcels. Body: call. */
export const COLLECTED = 36
/** Home to holder: the attachments will never come. Body: call. */
export const GONE = 37
