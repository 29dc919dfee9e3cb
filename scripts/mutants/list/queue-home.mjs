const memory = ['packages/memory/test/conformance.test.ts']
const threads = ['packages/worker-threads/test/conformance.test.ts']
const sockets = ['packages/unix-socket/test/conformance.test.ts']
const moves = ['packages/core/test/queue-home-moves.test.ts']
const homes = ['packages/core/test/queue-home.test.ts']

const home = 'packages/core/src/queue/home.ts'

/** The home of a queue. */
export const queueHome = [
  {
    name: 'getters lose their places when the home moves',
    file: home,
    from: '      if (holder.opening) this.#stock.wanted(holder)\n',
    to: '',
    tests: ['packages/core/test/queue-home-moves.test.ts'],
  },
  {
    name: 'the line waits for ever for one who opens no board',
    file: home,
    from: 'if (holder.opening) this.#stock.stepAside(holder)',
    to: 'void holder',
    tests: ['packages/core/test/queue-home-moves.test.ts'],
  },
  {
    name: 'what a holder says to be dealt with does not count',
    file: home,
    from: '        // One too many is told to whoever had not taken the item.\n        this.taskDone()\n',
    to: '',
    tests: memory,
    only: 'J2',
  },
  {
    name: 'a dropped item keeps the ends in it open',
    file: home,
    from: `        discardParcels(item.parcels, this.transport)
        dropped++`,
    to: '        dropped++',
    tests: threads,
    only: 'an item that nobody gets keeps its end alive',
  },
  {
    name: 'a shutdown that drops the items leaves them to be dealt with',
    file: home,
    from: 'this.#finish(Math.min(dropped, this.#unfinished))',
    to: 'void dropped',
    tests: memory,
    only: 'SD3 an immediate shutdown drops the items, which are dealt',
  },
  {
    name: 'a shutdown that drops the items leaves those that were sent ahead',
    file: home,
    from: '      this.#stock.takeAllBack()\n      let dropped',
    to: '      let dropped',
    tests: threads,
    only: 'what a child was sent',
  },
  {
    name: 'a second shutdown lets items in again',
    file: home,
    from: `if (this.#shutDown !== 'dropping') this.#shutDown =`,
    to: 'this.#shutDown =',
    tests: homes,
  },
  {
    name: 'a shutdown leaves putters waiting',
    file: home,
    from: '    this.#slots.refuseAll()\n',
    to: '',
    tests: memory,
    only: 'SD2 a shutdown settles the calls that wait',
  },
  {
    name: 'holders do not hear of a shutdown',
    file: home,
    from: 'for (const holder of this.#holders) holder.link.control(protocol.WAS_SHUT_DOWN)',
    to: '',
    tests: threads,
    only: 'has had the queue before',
  },
  {
    name: 'a holder puts beyond the bound',
    file: home,
    from: `        if (this.maxsize > 0) throw new MpError('MP_DECODE', 'a holder puts without a slot')
`,
    to: '',
    tests: homes,
  },
  {
    name: 'a slot that comes back after a shutdown wakes no getter',
    file: home,
    from: `        discardParcels(message.parcels, this.transport)
        return this.#slotsChanged()
      case protocol.UNRESERVE`,
    to: `        return discardParcels(message.parcels, this.transport)
      case protocol.UNRESERVE`,
    tests: homes,
  },
  {
    name: 'a slot that comes back unused wakes nobody',
    file: home,
    from: `        holder.ahead = Math.max(1, holder.ahead - call)
        return this.#slotsChanged()`,
    to: `        holder.ahead = Math.max(1, holder.ahead - call)
        return`,
    tests: homes,
  },
  {
    name: 'an item that comes back wakes no watcher',
    file: home,
    from: `        if (this.#stock.readable) wake(this.#watchers)
        return
`,
    to: `        return
`,
    tests: homes,
  },
  {
    name: 'what a dead consumer had wakes no watcher',
    file: home,
    from: `    holder.closeBoard()
    if (this.#stock.readable) wake(this.#watchers)`,
    to: '    holder.closeBoard()',
    tests: homes,
  },
  {
    name: 'a dead producer keeps its slots',
    file: home,
    from: '    this.#slots.release(holder, holder.reserved)\n',
    to: '',
    tests: threads,
    only: 'Q35',
  },
  {
    name: 'the calls of a dead producer stay in line',
    file: home,
    from: '    this.#removeWaiters(each => each.holder === holder)\n',
    to: '',
    tests: threads,
    only: 'Q35',
  },
  {
    name: 'an aborted put stays in line',
    file: home,
    from: '    this.#removeWaiters(each => each.holder === holder && each.call === call)\n',
    to: '',
    tests: moves,
  },
  {
    name: 'putters lose their place when the queue moves',
    file: home,
    from: 'putters: placesOf(this.#slots.waiting, holders)',
    to: 'putters: placesOf([], holders)',
    tests: moves,
  },
  {
    name: 'getters lose their place when the queue moves',
    file: home,
    from: 'return index < 0 ? [] : [index]\n',
    to: 'return index < 0 ? [] : []\n',
    tests: moves,
  },
  {
    name: 'a queue that moves forgets what is not dealt with',
    file: home,
    from: 'unfinished: this.#unfinished,',
    to: 'unfinished: 0,',
    tests: moves,
  },
  {
    name: 'a queue that moves forgets its shutdown',
    file: home,
    from: 'shutDown: this.#shutDown,',
    to: `shutDown: 'no',`,
    tests: moves,
  },
  {
    name: 'another program is sent handles',
    file: home,
    from: '!item.parcels?.some(holdsHandle) || !this.#holders.isForeign(holder)',
    to: 'item !== undefined && holder !== undefined',
    tests: sockets,
    only: 'an item with a handle stays',
  },
  {
    name: 'a getter is refused although a granted slot will be filled',
    file: home,
    from: 'this.isShutDown && this.#slots.reserved === 0 && this.#stock.size === 0',
    to: 'this.isShutDown && this.#stock.size === 0',
    tests: homes,
  },
  {
    name: 'a put is granted a slot after a shutdown',
    file: home,
    from: `    if (this.isShutDown) return putter.refuse()
    if (!this.full) return putter.grant()`,
    to: '    if (!this.full) return putter.grant()',
    tests: homes,
  },
  {
    name: 'a watcher is not woken when nothing will come any more',
    file: home,
    from: `    wake(this.#watchers)
    for (const holder of this.#stock.refuseAll())`,
    to: '    for (const holder of this.#stock.refuseAll())',
    tests: homes,
  },
  {
    name: 'a getter is not refused when the last item of a closed queue is claimed',
    file: home,
    from: 'if (this.maxsize > 0 || this.isShutDown) this.#slotsChanged()',
    to: 'if (this.maxsize > 0) this.#slotsChanged()',
    tests: homes,
  },
  {
    name: 'one done too many is counted',
    file: home,
    from: `    if (this.#unfinished === 0) return false
    this.#finish(1)`,
    to: '    this.#finish(1)',
    tests: memory,
    only: 'J3',
  },
]
