/**
 * What a pool and its workers say to each other. A *task* is what a worker is given at once: one call, or a chunk of items;
 * `task` numbers it in its pool, `function` numbers what it calls, once for all workers. Numbers are u32. Several tasks of one
 * function, and several answers, make a *packet*: `{ task | u32 length | encoded }`, one behind the other.
 *
 * A worker runs its tasks one at a time, in the order in which they came, and sends everything it has to say about one before
 * it begins the next. So when it dies, the oldest task that it has not answered is the one that it was at; those behind have
 * not begun, and another worker may have them.
 *
 * Where pool and worker share memory, {@link SharedProgress} say the same, and more exactly. Then the answers of a *quiet* packet may
 * wait for each other, 1 ms at most from one task to the next: its tasks are of one job, of which nobody hears before all of it is through.
 */

/** Pool to worker, before the first task that needs it. Body: function | the encoded reference to its target. */
export const FUNCTION = 16
/** Pool to worker. Body: function | u8 how, with QUIET | a packet: for ONE the encoded arguments, for ITEM the item, else the array of items. */
export const TASKS = 17
/** Pool to worker, without shared memory: give it back if it has not begun. Body: task. */
export const RECALL = 18
/** Pool to worker: nobody waits for it any more. Dropped if it has not begun; else its signal aborts. Body: task | the reason. */
export const ABORT = 19
/** Pool to worker, with shared memory: all that was sent before this and has not begun was taken back. No task follows before YIELDED. */
export const TAKEN = 20

/** Worker to pool: the initializer is through. */
export const READY = 32
/** Worker to pool: the initializer failed; the worker ends. Body: the encoded error. */
export const UNFIT = 33
/** Worker to pool: whole tasks that succeeded. Body: us that they took | a packet: for ONE and ITEM the encoded result, else the array of results. */
export const RESULTS = 34
/** Worker to pool: a whole task failed: its one call threw, or it could not be read here. Body: task | the encoded error. */
export const FAILED = 35
/** Worker to pool: an item of a task that did not succeed whole. Body: task | index | the encoded result. */
export const FULFILLED = 36
/** As FULFILLED. Body: task | index | the encoded error. */
export const REJECTED = 37
/** Worker to pool, after every item's FULFILLED or REJECTED. Body: task. */
export const SETTLED = 38
/** Worker to pool: a task that was recalled or aborted, and did not begin; or was aborted, and stopped between two items. Body: task. */
export const DROPPED = 39
/** Worker to pool: TAKEN was heard. */
export const YIELDED = 40

/** How a task calls its function: once with all arguments, once for each item, once for each item that is an array of arguments, once with its one item. */
export const ONE = 0
export const EACH = 1
export const EACH_SPREAD = 2
export const ITEM = 3
export type How = typeof ONE | typeof EACH | typeof EACH_SPREAD | typeof ITEM
