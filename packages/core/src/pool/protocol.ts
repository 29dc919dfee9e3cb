/**
 * What a pool and its workers say to each other. A *task* is what a worker is given at once: one call, or a chunk of items.
 * `task` is its number in its pool. `function` is the number of what it calls, the same for all workers. Numbers are u32.
 * Several tasks of one function, and several results, make a *packet*: `{ task | u32 length | encoded }`, one behind the other.
 *
 * A worker runs its tasks one at a time, in the order in which they came. A task begins before its function is loaded. The worker
 * sends everything that it has to say about one task before it begins the next. So when it dies, it was at the oldest task that
 * it has not answered. It has not begun those behind, and another worker may have them.
 *
 * Where pool and worker share memory, {@link SharedProgress} says the same, and more exactly. Then the results of a *quiet*
 * packet may wait for each other, for 1 ms at most from one task to the next: its tasks are of one job, and nobody hears of that
 * job before all of it is through.
 */

/** The kind of handle as which the end of its link reaches a worker. */
export const WORKER_LOOP = 'desk'

/** Pool to worker, before the first task that needs it. Body: function | the encoded reference to its target. */
export const FUNCTION = 16
/**
 * Pool to worker. Body: function | u8 how, with QUIET | a packet. Its entries are the encoded arguments for ONE, the item for ITEM,
 * else the array of items.
 */
export const TASKS = 17
/** Pool to worker, without shared memory: give the task back if it has not begun. Body: task. */
export const RECALL = 18
/**
 * Pool to worker: nobody waits for the task any more. The worker drops it if it has not begun; otherwise its signal aborts.
 * Body: task | the reason.
 */
export const ABORT = 19
/**
 * Pool to worker, with shared memory: all that was sent before this and has not begun was taken back. The pool sends no task before
 * YIELDED.
 */
export const TAKEN = 20

/** Worker to pool: the initializer is through. */
export const READY = 32
/** Worker to pool: the initializer failed, or what the worker imports starts processes; the worker ends. Body: the encoded error. */
export const UNFIT = 33
/**
 * Worker to pool: whole tasks that succeeded. Body: us that they took | a packet. Its entries are the encoded result for ONE and
 * ITEM, else the array of results.
 */
export const RESULTS = 34
/** Worker to pool: a whole task failed. Its one call threw, or the worker could not read it. Body: task | the encoded error. */
export const FAILED = 35
/** Worker to pool: an item of a task that did not succeed as a whole. Body: task | index | the encoded result. */
export const FULFILLED = 36
/** As FULFILLED, for an item that failed. Body: task | index | the encoded error. */
export const REJECTED = 37
/** Worker to pool, after the FULFILLED or REJECTED of every item. Body: task. */
export const SETTLED = 38
/**
 * Worker to pool: a task that was recalled or aborted did not begin, or one that was aborted stopped between two items, or
 * before its function was loaded. Body: task.
 */
export const DROPPED = 39
/** Worker to pool: it has heard TAKEN. */
export const YIELDED = 40

/** How a task calls its function: once, with all arguments. */
export const ONE = 0
/** Once for each item. */
export const EACH = 1
/** Once for each item, which is an array of arguments. */
export const EACH_SPREAD = 2
/** Once, with its one item. */
export const ITEM = 3
export type How = typeof ONE | typeof EACH | typeof EACH_SPREAD | typeof ITEM
