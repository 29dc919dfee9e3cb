/*
 * The three boards of packages/core/src/board/, for Spin: a home that sends, takes back and asks to be told at any moment; a holder that claims, and
 * that may die between any two of its instructions. One of SWAP (shared-board.ts), OFFSET (claim-file.ts) and WORDS (file-board.ts) is
 * defined.
 *
 * - SWAP: the word is read and swapped through Atomics, which is sequentially consistent: so is this model.
 * - OFFSET: a read(2) moves the offset under a lock. What it does under the lock is in steps here, because home cuts the file off, and
 *   looks at the offset, without the lock. A SIGKILL takes effect when the system call is over.
 * - WORDS: each word is read or written as a whole. A read of several words is in steps.
 *
 * It holds that
 * - each item is the holder's or home's, never both;
 * - when nothing moves any more each item is somebody's: none is lost between the two;
 * - home, once it has asked, hears of the next claim of the place that it has named, or has seen it in its look afterwards.
 *
 * Seeded bugs, which the script expects to be found: NO_SWAP (SWAP); NO_BARRIER, LOOK_ONLY (OFFSET); LATE_VERDICT, VERDICT_FIRST,
 * READ_FIRST, AGAIN (WORDS). With the other two AGAIN is no bug: home may take back what it has taken back.
 */

#define ITEMS 3
/* How often home takes back, and asks, at most. */
#define TAKES 2
#define ASKS 2

mtype = { ITEM, GO_ON, NOTICED, TOLD };
chan toHolder = [8] of { mtype, byte };
chan toHome = [8] of { mtype };

byte owner[ITEMS + 1];      /* by place: 0, or one of these */
#define HOLDER 1
#define HOME 2

byte sent;                  /* the last place that was sent */
bool revoked;               /* home: the holder has not noticed a take-back */
bool dead;
bool mortal;                /* whether the holder may die. Otherwise it waits for ever when there is nothing to do. */

#define MAY_DIE if :: mortal -> goto gone :: true fi

#ifdef SWAP
byte word;                  /* claimed or taken back up to here */
byte asked, from;
#endif
#ifdef OFFSET
byte offset, size;          /* bytes read, and bytes that there are, behind the head */
bool locked;
byte last;                  /* the last byte that may be claimed */
byte placeAt[ITEMS + 1];    /* which place a byte stands for */
byte mark[ITEMS + 1];       /* what is written in a byte */
byte asked;                 /* what home writes into further bytes */
#endif
#ifdef WORDS
byte begun, end, verdictFor, verdict, asked, from;
#endif

/* The place is claimed: from here on it is the holder's, although its user code has not seen the item. */
inline mine(p) { assert(owner[p] == 0); owner[p] = HOLDER }

/* Home takes the places after `from` back. */
inline backAfter(from) {
  i = from + 1;
  do
  :: i <= sent ->
    if
    :: owner[i] == HOME
    :: else -> assert(owner[i] == 0); owner[i] = HOME
    fi;
    i++
  :: else -> break
  od;
  i = 0
}

active proctype holder() {
  byte hand[ITEMS + 1], length, at, place, told, seen, found, limit;
  bool stale, got;      /* `stale`: it has found that something was taken back */
  byte p;

  if :: mortal = true :: true fi;
  do
  :: toHolder?ITEM,p ->
    if
    :: !stale -> hand[length] = p; length++
    :: else
    fi
  :: toHolder?GO_ON,_ -> stale = false
  :: at < length && !stale ->
    place = hand[at];
    got = false;
#ifdef SWAP
    found = word;
    MAY_DIE;
#ifdef NO_SWAP
    if :: place > found -> word = place; got = true :: else fi;
    if :: got -> mine(place) :: else fi;
#else
    atomic { if :: place > found && word == found -> word = place; got = true; mine(place) :: else fi };
#endif
    MAY_DIE;
    seen = asked;
    if :: from > place -> seen = 0 :: else fi;
    at++;
#endif
#ifdef OFFSET
    atomic { !locked -> locked = true };
    limit = size;
    if
    :: offset < limit ->
      seen = mark[offset + 1];
      atomic { offset++; locked = false; got = true; assert(placeAt[offset] == place); mine(place) };
      at++
    :: else -> locked = false; stale = true
    fi;
    limit = 0;
#endif
#ifdef WORDS
#ifdef READ_FIRST
    limit = end;
    begun = place;
#else
    begun = place;
    MAY_DIE;
    limit = end;
#endif
    seen = asked;
    if :: from > place -> seen = 0 :: else fi;
    MAY_DIE;
    if
    :: atomic { place > limit -> got = true; mine(place) }; at++
    :: else ->
      if
      :: verdictFor == limit ->
        if
        :: atomic { place <= verdict -> got = true; mine(place) }; at++
        :: else -> stale = true
        fi
      :: else   /* home is between two steps: it looks again later */
      fi
    fi;
    limit = 0;
#endif
    found = 0;
    MAY_DIE;
    if
    :: got && seen != 0 && seen != told -> told = seen; toHome!TOLD
    :: else
    fi;
    seen = 0;
    if
    :: stale -> at = 0; length = 0; toHome!NOTICED
    :: at == length -> at = 0; length = 0
    :: else
    fi;
    place = 0
  :: mortal -> break
  od;
gone:
  dead = true
}

active proctype home() {
  byte takes, asks, named, known, got, i, before;
  bool waits;           /* it has asked, and was not told */

  do
  :: atomic { sent < ITEMS && !revoked && !dead -> sent++ };
#ifdef OFFSET
    last++;
    placeAt[last] = sent;
    if :: asked != 0 -> mark[last] = asked :: else fi;
    size = last;
#endif
    toHolder!ITEM,sent
#ifdef AGAIN
  :: takes < TAKES && sent > 0 && !dead ->
#else
  :: takes < TAKES && sent > 0 && !revoked && !dead ->
#endif
    takes++;
#ifdef SWAP
    atomic { got = word; word = sent; backAfter(got) };
#endif
#ifdef OFFSET
    if
    :: offset == last -> skip
    :: else ->
      size = 0;
#ifndef NO_BARRIER
      atomic { !locked -> skip };
#endif
      atomic { got = (offset == 0 -> 0 : placeAt[offset]); backAfter(got) };
      if
      :: offset == last -> size = last
      :: else -> revoked = true
      fi
    fi;
#endif
#ifdef WORDS
    before = end;
#ifdef VERDICT_FIRST
    verdictFor = sent;
    end = sent;
    got = begun;
    verdict = got;
#else
    end = sent;
    got = begun;
#ifdef LATE_VERDICT
    verdictFor = sent;
    verdict = got;
#else
    verdict = got;
    verdictFor = sent;
#endif
#endif
    if :: before > got -> got = before :: else fi;
    atomic { backAfter(got) };
    revoked = (got != sent);
#endif
#ifdef SWAP
    known = word;
#endif
#ifdef OFFSET
    known = offset;
#endif
#ifdef WORDS
    known = begun;
#endif
    got = 0; before = 0
  :: asks < ASKS && !waits && !dead ->
    asks++;
    /* The next place, or the last one. */
    if :: named = 1 :: sent > 0 -> named = sent fi;
#ifndef OFFSET
    from = named;
#endif
    asked = asks;
    waits = true;
#ifdef OFFSET
    if
    :: !revoked ->
      i = offset + 1;
      do
      :: i <= last ->
        if :: placeAt[i] >= named -> mark[i] = asked :: else fi;
        i++
      :: else -> break
      od;
      i = 0
    :: else
    fi;
#ifndef LOOK_ONLY
    atomic { !locked -> skip };
#endif
    known = offset
#endif
#ifdef SWAP
    known = word
#endif
#ifdef WORDS
    known = begun
#endif
  :: toHome?TOLD -> waits = false
  :: toHome?NOTICED ->
#ifdef OFFSET
    last = offset;
#endif
    revoked = false;
    toHolder!GO_ON,0
  :: timeout -> break
  od;

  /* Nothing moves any more. If the holder is dead, home takes the rest back. */
  if
  :: dead ->
#ifdef SWAP
    got = word;
#endif
#ifdef OFFSET
    got = (offset == 0 -> 0 : placeAt[offset]);
#endif
#ifdef WORDS
    got = (begun > end -> begun : end);
#endif
    i = got + 1;
    do
    :: i <= sent -> if :: owner[i] == 0 -> owner[i] = HOME :: owner[i] == HOME :: else -> assert(false) fi; i++
    :: else -> break
    od
  :: else ->
    i = 1;
    do
    :: i <= sent -> assert(owner[i] != 0); i++
    :: else -> break
    od;
#ifdef SWAP
    assert(!waits || known == word || word < named)
#endif
#ifdef OFFSET
    assert(!waits || known == offset || offset == 0 || placeAt[offset] < named)
#endif
#ifdef WORDS
    assert(!waits || known == begun || begun <= end || begun < named)
#endif
  fi
}
