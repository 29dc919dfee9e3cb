const memory = ['packages/memory/test/conformance.test.ts']
const threads = ['packages/worker-threads/test/conformance.test.ts']
const strangers = ['packages/unix-socket/test/strangers.test.ts']
const leases = ['packages/core/test/lease.test.ts']
const stocks = ['packages/core/test/stock.test.ts']
const slotTests = ['packages/core/test/slots.test.ts']

const stock = 'packages/core/src/queue/stock.ts'
const lease = 'packages/core/src/queue/lease.ts'
const slots = 'packages/core/src/queue/slots.ts'

/** The items of a queue, and who gets them; its slots. */
export const queueItems = [
  {
    name: 'a lessee that takes nothing keeps what it has',
    file: stock,
    from: 'now || lease.idle || (',
    to: 'now || (',
    tests: ['packages/core/test/stock-lessee.test.ts'],
  },
  {
    name: 'a lessee that takes again counts as one that takes nothing',
    file: lease,
    from: '    const { place, item } = this.#out.shift() as Sent\n    this.idle = false\n',
    to: '    const { place, item } = this.#out.shift() as Sent\n',
    tests: ['packages/core/test/stock-lessee.test.ts'],
  },
  {
    name: 'a context says that it takes nothing while it does',
    file: 'packages/core/src/queue/remote.ts',
    from: '      if (this.#hand.claims !== before) return this.waitedFor()\n',
    to: '',
    tests: ['packages/core/test/remote-queue.test.ts'],
  },
  {
    name: 'every task counts as one of an item that was taken here',
    file: 'packages/core/src/queue/remote.ts',
    from: '      this.#undone--\n',
    to: '',
    tests: ['packages/core/test/remote-queue.test.ts'],
  },
  {
    name: 'an item that comes back goes behind the others',
    file: stock,
    from: `    this.#putBack([item])
    if (this.#lessee === consumer && consumer.lease.length === 0)`,
    to: `    this.#items.push(item)
    if (this.#lessee === consumer && consumer.lease.length === 0)`,
    tests: stocks,
  },
  {
    name: 'an item that comes back goes before earlier ones',
    file: stock,
    from: 'next && next.number > 0 && next.number < item.number;',
    to: 'next && next.number > 0 && next.number > item.number;',
    tests: threads,
    only: 'Q38',
  },
  {
    name: 'what a dead consumer had is lost',
    file: stock,
    from: '    this.#putBack(consumer.lease.end())\n',
    to: '    consumer.lease.end()\n',
    tests: threads,
    only: 'Q33',
  },
  {
    name: 'what a dead consumer had waits for the next put',
    file: stock,
    from: `    this.#putBack(consumer.lease.end())
    this.#user.taken()
    this.#serve()`,
    to: `    this.#putBack(consumer.lease.end())
    this.#user.taken()`,
    tests: stocks,
  },
  {
    name: 'what a dead consumer had claimed frees no slot',
    file: stock,
    from: `    this.#putBack(consumer.lease.end())
    this.#user.taken()`,
    to: '    this.#putBack(consumer.lease.end())',
    tests: stocks,
  },
  {
    name: 'a dead consumer stays in line',
    file: stock,
    from: 'this.#leaveLine(consumer)\n    if (this.#lessee',
    to: 'if (this.#lessee',
    tests: threads,
    only: 'Q33 a consumer that is killed while it waits',
  },
  {
    name: 'a getter that gave up stays in line',
    file: stock,
    from: `    this.#getters.delete(getter)
    this.#line.delete(ask)
    return true`,
    to: `    this.#getters.delete(getter)
    return true`,
    tests: memory,
    only: 'Q18 an aborted get rejects with the reason, and no item is',
  },
  {
    name: 'nothing is taken back from a consumer that computes',
    file: stock,
    from: 'if (over && lease.board) {',
    to: 'if (over && !lease.board) {',
    tests: threads,
    only: 'Q39',
  },
  {
    name: 'a claim between a look and the request to be told is missed',
    file: stock,
    from: `    lease.ask(this.#asked, !this.#asking)
    this.#look(consumer)`,
    to: `    this.#look(consumer)
    lease.ask(this.#asked, !this.#asking)`,
    tests: stocks,
  },
  {
    name: 'only one claim is told to those who wait for a slot',
    file: stock,
    from: 'if (this.#asking || this.#line.length > 0) this.#arm(consumer)',
    to: 'if (this.#line.length > 0) this.#arm(consumer)',
    tests: stocks,
  },
  {
    name: 'a consumer asks for any number of places in line',
    file: stock,
    from: 'Math.min(Math.max(0, lease.need), MOST_ASKS)',
    to: 'Math.max(0, lease.need)',
    tests: stocks,
  },
  {
    name: 'a consumer says that it has seen what was never sent',
    file: lease,
    from: '    if (isLater(seen, this.sent)) seen = this.sent\n',
    to: '',
    tests: leases,
  },
  {
    name: 'a consumer is sent any number of bytes ahead',
    file: lease,
    from: '    if (this.#bytes >= MOST_BYTES) return 0\n',
    to: '',
    tests: leases,
  },
  {
    name: 'a consumer is sent any number of items ahead',
    file: lease,
    from: 'this.#limit = Math.min(this.#limit * 2, MOST_ITEMS)',
    to: 'this.#limit = this.#limit * 2',
    tests: leases,
  },
  {
    name: 'what was taken back still answers a call',
    file: lease,
    from: '    for (const { before, last } of this.#voided) coming -= (last - before) >>> 0\n',
    to: '',
    tests: leases,
  },
  {
    name: 'an item with an end comes back from a dead consumer',
    file: lease,
    from: '.filter(({ parcels }) => !parcels)',
    to: '',
    tests: leases,
  },
  {
    name: 'what a dead consumer without a board had is lost',
    file: lease,
    from: 'return [...items, ...told]',
    to: 'return told.length < 0 ? told : items',
    tests: leases,
  },
  {
    name: 'a claim that is told covers one place too few',
    file: lease,
    from: 'next && !isLater(next.place, place); next',
    to: 'next && isLater(place, next.place); next',
    tests: leases,
  },
  {
    name: 'the bound is one too large',
    file: slots,
    from: 'return this.#sizes.size + this.#reserved >= this.maxsize',
    to: 'return this.#sizes.size + this.#reserved > this.maxsize',
    tests: memory,
    only: 'Q10 a queue of maxsize 6 takes six puts, then is full, and',
  },
  {
    name: 'a producer gets slots ahead of those who wait',
    file: slots,
    from: 'if (this.#line.length === 0) {',
    to: 'if (this.#line.length >= 0) {',
    tests: slotTests,
  },
  {
    name: 'slots ahead do not count as reserved',
    file: slots,
    from: '    this.#reserved += 1 + more\n',
    to: '    this.#reserved += 1\n',
    tests: threads,
    only: 'Q10 a producer elsewhere holds no slot that it does not fill',
  },
  {
    name: 'a holder fills a slot that it was not granted',
    file: slots,
    from: `    if (holder.reserved < count) throw new MpError('MP_DECODE', 'a holder fills a slot that it was not granted')
`,
    to: '',
    tests: strangers,
    only: 'do no harm beyond that queue',
  },
  {
    name: 'grants that put overflow the stack',
    file: slots,
    from: '    if (this.#granting) return\n',
    to: '',
    tests: slotTests,
  },
  {
    name: 'whoever asks whether the queue is full is not told at once',
    file: slots,
    from: '    for (const look of this.#unsettled) look()\n',
    to: '',
    tests: slotTests,
  },
]
