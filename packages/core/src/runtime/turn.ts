/** ms. A loop of calls that resolve as microtasks would starve the event loop: timers, sockets, and links' flushes. */
const LONGEST_TURN = 10

/** Something that acts when this turn's code has run. */
export interface TurnEnd {
  turnEnded(): void
}

let waiting: TurnEnd[] = []
let spare: TurnEnd[] = []
/** When `turnIsLong` was first asked in this turn; 0 if it was not. */
let started = 0
let scheduled = false

let over = false

/** This context is exiting. Its event loop turns no more, so what an exit handler sends must leave within the call. */
export function noMoreTurns(): void {
  over = true
  endTurn()
}

export function turnsAreOver(): boolean {
  return over
}

/** Calls `turnEnded` when the microtasks of this turn of the event loop have run. One tick serves all. */
export function atTurnEnd(who: TurnEnd): void {
  if (over) return who.turnEnded()
  waiting.push(who)
  schedule()
}

/** So many calls in quick succession use one reading of the clock. A reading takes 45 ns, of the 600 that a put takes. */
const CALLS_PER_READING = 8
/** ms. After two readings that are closer together than this, the next calls use the second one. */
const QUICK = 0.05

let read = 0
let unread = 0

/** As performance.now(), but up to a few quick calls late. */
export function roughNow(): number {
  if (unread > 0) {
    unread--
    return read
  }
  const now = performance.now()
  if (now - read < QUICK) unread = CALLS_PER_READING
  read = now
  return now
}

/** Whether this turn of the event loop has run for so long that the next call must resolve in another one. */
export function turnIsLong(now: number): boolean {
  if (started === 0) {
    started = now
    schedule()
    return false
  }
  return now - started > LONGEST_TURN
}

function schedule(): void {
  if (scheduled) return
  scheduled = true
  process.nextTick(endTurn)
}

function endTurn(): void {
  try {
    // `scheduled` is still true. If a link's wire goes through another link, the other one is added here, and its turn ends
    // in this same tick.
    while (waiting.length > 0) {
      const ended = waiting
      waiting = spare
      for (let i = 0; i < ended.length; i++) (ended[i] as TurnEnd).turnEnded()
      ended.length = 0
      spare = ended
    }
  } finally {
    scheduled = false
    started = 0
    unread = 0
  }
}

let next: Promise<void> | undefined

/**
 * One turn of the event loop: what the operating system or another thread has already sent is seen afterwards. All who begin to
 * wait in one turn go on in the same turn, so that together they keep within its length.
 */
export function turn(): Promise<void> {
  next ??= new Promise(resolve => {
    setImmediate(() => {
      next = undefined
      resolve()
    })
  })
  return next
}

/** A rejection, in another turn where this one has run for long: a loop that goes on after errors must not starve others. */
export function rejection(error: unknown): Promise<never> {
  if (!turnIsLong(roughNow())) return Promise.reject(error)
  return turn().then(() => {
    throw error
  })
}

/**
 * Two turns. Something has arrived here; by then everything is seen that its sender sent before it, over whichever wire.
 * One turn is not enough: a thread's event loop may look at one wire just before something is sent over it, and at the next
 * one just after.
 */
export async function caughtUp(): Promise<void> {
  await turn()
  await turn()
}
