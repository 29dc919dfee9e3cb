import { section } from './row.js'

export const lockRows = section(
  'Lock and RLock',
  {
    LK1: ['MUST', 'one holder at a time; a release of a free lock is refused'],
    LK2: ['MUST', 'an acquire that runs out of time gives false'],
    LK4: ['SHOULD', 'another process may release a Lock'],
    LK5: ['MUST', 'an RLock is released as often as it was acquired, by its holder alone'],
    LK6: ['MAY', 'locked() tells across processes'],
    LK7: ['MUST', 'await using releases, also after a throw'],
    LK8: ['MUST', 'the death of a holder passes the lock on, and the next one is told'],
    LK9: ['MUST', 'they travel to children, and are not serialised anywhere else'],
  },
  'Lock',
)

export const semaphoreRows = section(
  'Semaphore',
  {
    SM1: ['MUST', 'it counts; a bounded one refuses to exceed its start'],
    SM2: ['MUST', 'timeouts, and calls that do not block'],
    SM3: ['MUST', 'a negative start is refused'],
  },
  'Semaphore',
)

export const eventRows = section(
  'Event',
  {
    EV1: ['MUST', 'wait() is false when the time is over and true once it is set; clear() resets'],
    EV2: ['MUST', 'set() in one process wakes all that wait'],
    EV3: ['MUST', 'set() within a signal handler does not deadlock'],
  },
  'Event',
)

export const conditionRows = section(
  'Condition',
  {
    CD1: ['MUST', 'wait() and notify() need the lock'],
    CD2: ['MUST', 'notify(n) wakes n, notifyAll() all, and nobody is lost to a timeout'],
    CD3: ['MUST', 'wait() holds the lock again, whatever it gives'],
    CD4: ['MUST', "waitFor() gives the predicate's value"],
    CD5: ['MUST', 'wait() frees an RLock that is held k times, and restores k'],
  },
  'Condition',
)

export const barrierRows = section(
  'Barrier',
  {
    BR1: ['MUST', 'the parties pass in lockstep'],
    BR2: ['MUST', 'each gets an index of its own'],
    BR3: ['MUST', 'the action runs once per round; if it throws the barrier breaks'],
    BR4: ['MUST', 'abort() breaks it for all, now and later'],
    BR5: ['MUST', 'reset() frees who waits, and the barrier works again'],
    BR6: ['MUST', 'a wait that runs out of time breaks it for all'],
    BR7: ['MUST', 'one party never waits'],
    BR8: ['MUST', 'parties, waiting and broken can be read'],
    BR9: ['MUST', 'no parties are refused'],
  },
  'Barrier',
)

export const sharedValueRows = section(
  'Value and SharedArray',
  {
    SV1: ['MUST', 'what a child changes its parent sees'],
    SV2: ['MUST', 'a lock of its own, a given one, or none'],
    SV3: ['MUST', 'zeros or a copy at the start; wrong indices and lengths are refused'],
    SV4: ['MUST', 'add() is atomic'],
    SV5: ['MUST', 'integers wrap'],
  },
  'Value',
)

export const contextRows = section('Contexts', {
  X1: ['MUST', 'a context has the whole vocabulary, and two live side by side'],
  X3: ['MUST', 'a process of one context leaves the others as they are'],
})
