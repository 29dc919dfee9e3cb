const logs = ['packages/shared-array-buffer/test/segment-log.test.ts']
const queues = ['packages/shared-array-buffer/test/queue-engine.test.ts']
const locks = ['packages/shared-array-buffer/test/locks.test.ts']
const terminations = ['packages/shared-array-buffer/test/termination.test.ts']
const conformance = ['packages/shared-array-buffer/test/conformance.test.ts']

const log = 'packages/shared-array-buffer/src/segment-log.ts'
const mutex = 'packages/shared-array-buffer/src/mutex.ts'
const bell = 'packages/shared-array-buffer/src/bell.ts'
const queue = 'packages/shared-array-buffer/src/queue-engine.ts'
const semaphore = 'packages/shared-array-buffer/src/semaphore-engine.ts'

/** Engines in shared memory. The order of their stores is checked by the models of that package. */
export const rings = [
  {
    name: 'a record ends one byte beyond its segment',
    file: log,
    from: 'if (padded <= room) {',
    to: 'if (padded <= room + 8) {',
    tests: logs,
  },
  {
    name: 'a segment that a dead producer added is not counted',
    file: log,
    from: '    if (next >= count) Atomics.store(this.words, SEGMENTS, next + 1)\n',
    to: '',
    tests: logs,
  },
  {
    name: 'the other side of a moved end does not see what was taken',
    file: log,
    from: `if (side === 'producer') this.#tellTail()
    else this.#tellHead()`,
    to: `if (side === 'producer') this.#tellTail()`,
    tests: conformance,
    only: 'C26 an end that was in use goes on to a child, unread',
  },
  {
    name: 'the other side of a moved end does not see what was written',
    file: log,
    from: `if (side === 'producer') this.#tellTail()
    else this.#tellHead()`,
    to: `if (side === 'consumer') this.#tellHead()`,
    tests: conformance,
    only: 'C26 an end that was in use goes on to a child, unread',
  },
  {
    name: 'the lock of a dead holder is never free',
    file: mutex,
    from: 'if (!(word & HELD) || peers.gone(word >>> FLAGS)) {',
    to: 'if (!(word & HELD)) {',
    tests: terminations,
  },
  {
    name: 'a wake-up of no use is not passed on',
    file: bell,
    from: 'if (!this.#heard() && this.#ready()) this.ring()',
    to: 'this.#heard()',
    tests: queues,
  },
  {
    name: 'a put comes after a shutdown of another thread',
    file: queue,
    from: '    this.#shut = Atomics.load(words, STATE) !== 0\n',
    to: '',
    tests: conformance,
    only: 'SD7 a shutdown by the creator is seen by a child, pending',
  },
  {
    name: 'a getter is refused before the queue is empty',
    file: queue,
    from: `Atomics.load(this.#words, STATE) !== 0 && this.#log.size === 0 ? 'shut' : 'empty'`,
    to: `Atomics.load(this.#words, STATE) !== 0 ? 'shut' : 'empty'`,
    tests: queues,
  },
  {
    name: 'half a step of a dead thread stays',
    file: semaphore,
    from: `      table.rollBack()
      this.#grantAll()
    }
    Atomics`,
    to: `      this.#grantAll()
    }
    Atomics`,
    tests: locks,
    only: 'also in the middle of a step',
  },
  {
    name: 'the permits of a dead thread are lost',
    file: semaphore,
    from: '    this.#drop(peer => peers.gone(peer))\n',
    to: '',
    tests: conformance,
    only: 'LK8 a holder that is killed while it blocks passes its lock',
  },
]
