/**
 * The types of messages on a link. FRAGMENT, 2, is in frame.ts, as frames are cut and put together there.
 *
 *     1-6     the link's own: they go even where its users' messages wait
 *     11-15   of channels within the link, see channels.ts
 *     16-63   of the link's user
 */

/** The reader took messages. Body: u32, what they cost. */
export const CREDIT = 1
/** This side moves. The other side goes on over the wire whose end rides along, and answers MOVED. */
export const MOVE = 3
/** The last message of a side that follows a MOVE. With an end: see `#cross` in link-move.ts. */
export const MOVED = 4
/**
 * This side ends: nothing more comes. After its MOVE, if that was not answered: it has read nothing that the other side
 * sent.
 */
export const LEFT = 5
/** This side ends, or moves, and sends everything that waits for the window. */
export const BEYOND = 6
/** The largest of these. */
export const LAST_OWN = 6

/** Child to parent: two channels between us are one wire through me; take me out of it. Body: u32 channel, u32 channel. */
export const SPLICE = 11
/** Parent to child: nothing more will come over these two channels. Body as above. */
export const SPLICING = 12
/** Child to parent: what came over each of these channels has gone back over the other. Body as above. */
export const SPLICED = 13
/** Body: u32 channel, then the inner frame. */
export const FRAME = 14
/** Body: u32 channel. */
export const CLOSE = 15

export const FIRST_OF_USERS = 16
