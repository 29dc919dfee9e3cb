/*
 * The bounded queue of queue-engine.ts and the waiting of bell.ts (packages/shared-array-buffer), for Spin: two producers, two consumers, a ring of two,
 * and the death of any one of them between any two instructions.
 *
 * Every control word is read and written through Atomics, which is sequentially consistent: so is this model. The body of a
 * record is a plain write; a consumer that would see a record before its body is what `written` finds.
 *
 * A death is told to everyone (Peers.ended): its locks are then taken over, and all who wait look again. What is modelled
 * as one step with a death happens in truth after it, when nothing of the dead one moves any more.
 *
 * A producer that finds the mark which it has left in its lock goes on where it was, without a look at PUTS. (Consumers do the
 * same with theirs.)
 *
 * Seeded bugs, which the script expects to be found: PUBLISH_FIRST, NO_RECHECK, NO_TAKEOVER, NO_SECOND_LOOK, OLD_MARK.
 */

#define SLOTS 2
/* Three items fill the ring of two and one more: the first producer has two, the second one. */
#define ITEMS(p) (3 - (p))

byte puts, gets;            /* the published counts */
byte slot[SLOTS];           /* what is in a slot: an item's number, from 1 on */
bool written[SLOTS];        /* its body is there */
byte putLock, getLock;      /* 0, or the holder's id */
byte putMark;               /* who was the last to release the producers' lock */
bool itemOdd, slotOdd;      /* the bells */
byte itemStale, slotStale;
byte itemHeld, slotHeld;    /* who still needs the value that it has read */
byte parkedItem, parkedSlot;    /* sets of ids that sleep */
byte dead;                  /* set of ids */
byte killed;                /* the id of whoever is to die next; 0: nobody */
byte got;                   /* the set of items that were taken */
byte finished;              /* the set of producers that have put everything */

#define BIT(n) (1 << (n))
#define ITEM(p, n) (((p) - 1) * 2 + (n))
#define GONE(id) (dead & BIT(id))

/* Wakes one of a set, any one. */
inline wakeOne(set) {
  if
  :: set & BIT(1) -> set = set & ~BIT(1)
  :: set & BIT(2) -> set = set & ~BIT(2)
  :: set & BIT(3) -> set = set & ~BIT(3)
  :: set & BIT(4) -> set = set & ~BIT(4)
  fi
}

/*
 * A bell's word is a count, odd while somebody may wait. Here: whether it is odd, and the set of those who have read a value
 * that is no longer its value. A compare-and-exchange succeeds for who is not in the set.
 */
inline look(stale, held) { stale = stale & ~BIT(self); held = held | BIT(self) }
inline changed(stale, held) { stale = held & ~BIT(self) }
inline forget(stale, held) { stale = stale & ~BIT(self); held = held & ~BIT(self) }

/* Bell.ring */
inline ring(odd, stale, held, set) {
  if
  :: atomic { odd -> look(stale, held) };
    atomic {
      if
      :: !(stale & BIT(self)) -> changed(stale, held); mine = true
      :: else -> forget(stale, held)
      fi
    };
    atomic {
      if
      :: set != 0 -> wakeOne(set); mine = false; forget(stale, held)
      :: else
      fi
    };
    if
    :: mine ->
      atomic {
        if
        :: !(stale & BIT(self)) -> odd = false; changed(stale, held)
        :: else -> mine = false
        fi;
        forget(stale, held)
      };
#ifndef NO_SECOND_LOOK
      if :: mine -> set = 0 :: else fi
#endif
    :: else
    fi;
    mine = false
  :: !odd
  fi
}

/*
 * Bell.#flag, the second look, and Atomics.wait, which compares and sleeps in one step. Whoever dies after the look ends the
 * wait: an asynchronous one listens for that from before its look, a blocked one looks again after each slice.
 */
inline park(odd, stale, held, set, ready) {
  seen = dead;
  do
  :: atomic { odd -> look(stale, held); break }
  :: atomic { !odd -> look(stale, held) };
    atomic {
      if
      :: !(stale & BIT(self)) -> odd = true; changed(stale, held); break
      :: else
      fi
    }
  od;
#ifndef NO_RECHECK
  if
  :: atomic { ready -> forget(stale, held); seen = 0 }
  :: atomic { !(ready) -> skip };
#endif
    atomic {
      if
      :: !(stale & BIT(self)) -> set = set | BIT(self)
      :: else
      fi;
      forget(stale, held)
    };
    atomic { !(set & BIT(self)) || dead != seen -> set = set & ~BIT(self); seen = 0 }
#ifndef NO_RECHECK
  fi
#endif
}

inline acquire(lock) {
#ifdef NO_TAKEOVER
  atomic { lock == 0 -> lock = self }
#else
  atomic { lock == 0 || GONE(lock) -> lock = self }
#endif
}

/* lockAgain, or lockSoon and a look at the tail. Who takes over from a dead one finds no mark. */
inline acquirePut() {
#ifdef NO_TAKEOVER
  atomic { putLock == 0 ->
#else
  atomic { putLock == 0 || GONE(putLock) ->
#endif
#ifdef OLD_MARK
    if :: known == 0 -> known = puts :: else fi;
#else
    if :: putLock == 0 && putMark == self :: else -> known = puts fi;
#endif
    putLock = self
  }
}

/* Between any two of its instructions. */
inline die() {
  atomic {
    dead = dead | BIT(self);
    killed = 0;
    parkedItem = parkedItem & ~BIT(self);
    parkedSlot = parkedSlot & ~BIT(self);
    forget(itemStale, itemHeld);
    forget(slotStale, slotHeld)
  }
}

/*
 * What a holder of a lock does between taking it and its store of PUTS or GETS is seen by nobody else, so that it is one step
 * with taking the lock; but for the bug that makes it visible.
 */
proctype producer(byte self) {
  byte n, p, known, seen;
  bool mine;
  {
    do
    :: atomic { n == ITEMS(self) -> finished = finished | BIT(self); break }
    :: n < ITEMS(self) ->
      acquirePut();
      if
      :: atomic { puts - gets >= SLOTS -> putLock = 0; putMark = self };
        park(slotOdd, slotStale, slotHeld, parkedSlot, puts - gets < SLOTS)
      :: atomic {
          puts - gets < SLOTS ->
          p = known;
          slot[p % SLOTS] = ITEM(self, n) + 1;
          n++;
#ifdef PUBLISH_FIRST
          written[p % SLOTS] = false
#else
          written[p % SLOTS] = true
#endif
        };
        atomic { puts = p + 1; known = puts; assert(puts - gets <= SLOTS) };
#ifdef PUBLISH_FIRST
        written[p % SLOTS] = true;
#endif
        atomic { putLock = 0; putMark = self; p = 0 };
        ring(itemOdd, itemStale, itemHeld, parkedItem)
      fi
    od
  } unless { killed == self -> die() }
}

proctype consumer(byte self) {
  byte item, seen;
  bool mine;
  {
    do
    :: acquire(getLock);
      if
      :: atomic { puts == gets -> getLock = 0 };
        park(itemOdd, itemStale, itemHeld, parkedItem, puts != gets)
      :: atomic {
          puts != gets ->
          assert(written[gets % SLOTS]);
          item = slot[gets % SLOTS] - 1
        };
        atomic {
          gets++;
          assert(!(got & BIT(item)));
          got = got | BIT(item);
          item = 0
        };
        getLock = 0;
        ring(slotOdd, slotStale, slotHeld, parkedSlot)
      fi
    od
  } unless { killed == self -> die() }
}

/* The death of VICTIM at any time; 0: of nobody. */
#ifndef VICTIM
#define VICTIM 0
#endif
proctype fate() { killed = VICTIM }

/* When nothing moves any more, nobody who lives waits for what is there. */
proctype judge() {
  timeout;
  assert(puts == gets);
  assert((finished | dead) & BIT(1));
  assert((finished | dead) & BIT(2));
  assert((dead & BIT(1)) || (got & 3) == 3);
  assert((dead & BIT(2)) || (got & 4) == 4)
}

init {
  atomic {
    run producer(1);
    run producer(2);
    run consumer(3);
    run consumer(4);
    run fate();
    run judge()
  }
}
