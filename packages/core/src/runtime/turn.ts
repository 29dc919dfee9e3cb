/** ms. Calls that resolve as microtasks, in a loop, would starve the event loop: timers, sockets, and links' flushes. */
const LONGEST_TURN = 10

/** What has something to do when this turn's code has run. */
export interface TurnEnd {
  turnEnded(): void
}

let waiting: TurnEnd[] = []
let spare: TurnEnd[] = []
let started = 0
let scheduled = false

let over = false

/** This context is exiting: its event loop turns no more, and what an exit handler sends must leave within the call. */
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

/** Calls in quick succession that go by one reading of the clock: to read it takes 45 ns, of the 600 that a put takes. */
const CALLS_PER_READING = 8
/** ms between two readings. A call that may take longer than an eighth of it reads the clock. */
const QUICK = 0.05

let read = 0
let unread = 0

/** As performance.now(), a few quick calls late. */
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

/** Whether this turn of the event loop has run so long that the next call must resolve in another one. */
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
    // Still scheduled: a link whose wire goes through another link ends that one's turn too, in this same tick.
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
 * One turn of the event loop: what the operating system or another thread has already sent is seen afterwards. All who wait
 * in one turn go on in the same one, so that together they keep within its length.
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

/**
 * Two turns: whatever another context sent before something that has already arrived here, over whichever wire, is seen by
 * then. One is not enough: a thread's event loop may look at one wire just before, and at the next just after, it was sent to.
 */
export async function caughtUp(): Promise<void> {
  await turn()
  await turn()
}
