const boards = ['packages/core/test/board.test.ts']
const interleavings = ['packages/core/test/board-interleavings.test.ts']

const claimFile = 'packages/core/src/board/claim-file.ts'
const fileBoard = 'packages/core/src/board/file-board.ts'
const sharedBoard = 'packages/core/src/board/shared-board.ts'
const offer = 'packages/core/src/board/offer.ts'
const memoryFile = 'packages/core/src/board/memory-file.ts'

/** What a home and a holder both see: who has claimed what. */
export const board = [
  {
    name: 'home looks at the offset before it cuts the file off',
    file: claimFile,
    from: `    this.#cut()
    this.#settle()
    const begun = this.begun
`,
    to: `    const begun = this.begun
    this.#cut()
    this.#settle()
`,
    tests: interleavings,
  },
  {
    name: 'a file of claims serves two holders',
    file: claimFile,
    from: '    if (this.#taken) return false\n',
    to: '',
    tests: boards,
  },
  {
    name: 'the mark for the next claim is one byte too far',
    file: claimFile,
    from: 'HEAD + first - 1)',
    to: 'HEAD + first)',
    tests: boards,
  },
  {
    name: 'what is sent later does not ask to be told of its claim',
    file: claimFile,
    from: '    if (this.#asked !== 0) this.#mark(Math.max(first, this.#marked + 1), first)\n',
    to: '',
    tests: boards,
  },
  {
    name: 'places that are claimed by a message count as bytes',
    file: claimFile,
    from: 'if ((place + this.#lastByte - byte) >>> 0 !== before) this.#runs.push({ byte: this.#lastByte, place: before })',
    to: '',
    tests: boards,
  },
  {
    name: 'a run of places begins one byte early',
    file: claimFile,
    from: '(runs[1] as Run).byte < count',
    to: '(runs[1] as Run).byte <= count',
    tests: boards,
  },
  {
    name: 'the memory of marks is never given back',
    file: claimFile,
    from: `      this.#cut()
    }
    const before`,
    to: `    }
    const before`,
    tests: boards,
  },
  {
    name: 'a child claims on although something was taken back',
    file: claimFile,
    from: '    this.revoked = true\n    return false\n',
    to: '    return false\n',
    tests: boards,
  },
  {
    name: 'a holder looks at the take-back before it claims',
    file: fileBoard,
    from: `    this.#write(BEGUN, place)
    readSync(this.#file, fiveBytes, 0, 20, this.#at + VOID * 4)`,
    to: `    readSync(this.#file, fiveBytes, 0, 20, this.#at + VOID * 4)
    this.#write(BEGUN, place)`,
    tests: interleavings,
  },
  {
    name: 'home looks at the claims before it takes back',
    file: fileBoard,
    from: `    this.#write(VOID, last)
    const begun = this.#read(BEGUN)`,
    to: `    const begun = this.#read(BEGUN)
    this.#write(VOID, last)`,
    tests: interleavings,
  },
  {
    name: 'a holder does not wait for the verdict',
    file: fileBoard,
    from: `    if (five[VERDICT_FOR - VOID] !== end) return undefined
`,
    to: '',
    tests: interleavings,
  },
  {
    name: 'a verdict is announced before it is written',
    file: fileBoard,
    from: `    this.#write(VERDICT_FOR + 1, begun)
    this.#write(VERDICT_FOR, last)`,
    to: `    this.#write(VERDICT_FOR, last)
    this.#write(VERDICT_FOR + 1, begun)`,
    tests: interleavings,
  },
  {
    name: 'a claim that comes too late counts',
    file: fileBoard,
    from: 'return isLater(this.#void, begun) ? this.#void : begun',
    to: 'return begun',
    tests: boards,
  },
  {
    name: 'a claim does not compare what it swaps',
    file: sharedBoard,
    from: 'Atomics.compareExchange(words, at, before, place | 0) === before',
    to: 'Atomics.exchange(words, at, place | 0) !== place',
    tests: interleavings,
  },
  {
    name: 'home takes back without a swap',
    file: sharedBoard,
    from: 'return Atomics.exchange(this.#words, this.#at + BEGUN, last) >>> 0',
    to: `const begun = Atomics.load(this.#words, this.#at + BEGUN) >>> 0
    Atomics.store(this.#words, this.#at + BEGUN, last)
    return begun`,
    tests: interleavings,
  },
  {
    name: 'a place that was taken back can be claimed',
    file: sharedBoard,
    from: 'return isLater(place, before) && Atomics',
    to: 'return Atomics',
    tests: boards,
  },
  {
    name: 'more holders get a slot than there are',
    file: offer,
    from: 'known && known.slots < SharedBoard.slots',
    to: 'known',
    tests: boards,
  },
  {
    name: 'the first holder that leaves closes the boards of all',
    file: offer,
    from: '    if (--area.users > 0) return\n',
    to: '    area.users--\n',
    tests: boards,
  },
  {
    name: 'the first board that a holder closes closes its others',
    file: offer,
    from: '    if (--known.users > 0) return\n',
    to: '    known.users--\n',
    tests: boards,
  },
  {
    name: 'a holder opens a slot that is not there',
    file: offer,
    from: '  if (slot >= SharedBoard.slots) return undefined\n',
    to: '',
    tests: boards,
  },
  {
    name: 'a holder opens another file',
    file: memoryFile,
    from: `=== NONCE && found.toString('hex') === nonce`,
    to: '=== NONCE && nonce.length === 32',
    tests: boards,
  },
]
