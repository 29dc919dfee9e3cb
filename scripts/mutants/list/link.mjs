const links = ['packages/core/test/link.test.ts', 'packages/core/test/link-windows.test.ts']
const frames = ['packages/core/test/frame-hostile.test.ts', 'packages/core/test/link.test.ts']
const threads = ['packages/worker-threads/test/conformance.test.ts']
const processes = ['packages/child-process/test/conformance.test.ts']
const strangers = ['packages/unix-socket/test/strangers.test.ts']

const theLink = 'packages/core/src/link/link.ts'
const batch = 'packages/core/src/link/batch.ts'
const frame = 'packages/core/src/link/frame.ts'
const move = 'packages/core/src/link/link-move.ts'
const sendWindow = 'packages/core/src/link/send-window.ts'
const receiveWindow = 'packages/core/src/link/receive-window.ts'
const channels = 'packages/core/src/link/channels.ts'

/** Frames, windows, moves and channels. */
export const link = [
  {
    name: 'a sender may go beyond the window',
    file: receiveWindow,
    from: 'if (this.#owed >= this.#size + this.#beyond) {',
    to: 'if (this.#owed < 0) {',
    tests: strangers,
    only: 'sends more than is read',
  },
  {
    name: 'another program that ends may send without a limit',
    file: theLink,
    from: 'this.#isForeign ? STRANGERS_REST : Number.POSITIVE_INFINITY',
    to: 'this.#isForeign && STRANGERS_REST < 0 ? 0 : Number.POSITIVE_INFINITY',
    tests: strangers,
    only: 'sends more than is read',
  },
  {
    name: 'what was owed over the old wire counts after a move',
    file: receiveWindow,
    from: `    this.#owed = 0
    this.#beyond = 0`,
    to: '    this.#beyond = 0',
    tests: links,
  },
  {
    name: 'who went beyond the window before a move may do so after it',
    file: receiveWindow,
    from: `    this.#owed = 0
    this.#beyond = 0`,
    to: '    this.#owed = 0',
    tests: links,
  },
  {
    name: 'what is outstanding over the old wire counts after a move',
    file: theLink,
    from: '    this.#window.outstanding = 0\n',
    to: '',
    tests: links,
  },
  {
    name: 'credit comes only when a whole window was read',
    file: receiveWindow,
    from: 'if (taken < this.#size / 2 && (this.#gave || taken === 0)) {',
    to: 'if (taken <= this.#size + 1_000_000) {',
    tests: links,
  },
  {
    name: 'a message goes although the wire is full',
    file: sendWindow,
    from: 'return this.outstanding < this.#size && !this.#batch.undrained && this',
    to: 'return this.outstanding < this.#size && this',
    tests: links,
  },
  {
    name: 'copies are sent again in the wrong order',
    file: sendWindow,
    from: 'of copies.toReversed()',
    to: 'of copies',
    tests: links,
  },
  {
    name: 'a message is sent although its caller gave up',
    file: sendWindow,
    from: 'while (next?.withdrawn) {',
    to: 'while (next?.withdrawn && next.sent < 0) {',
    tests: threads,
    only: 's context is busy keeps its limits, and then has put nothing',
  },
  {
    name: 'a call that waits for a lost link stays pending',
    file: sendWindow,
    from: '      pending?.reject(lost())\n',
    to: '',
    tests: links,
  },
  {
    name: 'ends in messages that wait for a lost link stay open',
    file: sendWindow,
    from: `      pending?.reject(lost())
      discardParcels(parcels, this.#transport)`,
    to: '      pending?.reject(lost())',
    tests: links,
  },
  {
    name: 'what waits for a call that gave up is stuck',
    file: theLink,
    from: `    waiting.withdrawn = true
    this.#sendWaiting()`,
    to: '    waiting.withdrawn = true',
    tests: links,
  },
  {
    name: 'a call may give up after half of its message has gone',
    file: sendWindow,
    from: '    next.pending?.unlimit()\n',
    to: '',
    tests: links,
  },
  {
    name: 'half a message stays behind when the other side moves',
    file: move,
    from: '      this.#window.sendOtherHalf()\n',
    to: '',
    tests: links,
  },
  {
    name: 'half a message goes on beyond the window unannounced',
    file: move,
    from: `      this.#link.control(BEYOND, undefined)
      this.#window.sendOtherHalf()`,
    to: '      this.#window.sendOtherHalf()',
    tests: links,
  },
  {
    name: 'an end that is sent to a side that has left stays open',
    file: move,
    from: `if (this.state === 'closed' || this.#otherLeft) {`,
    to: `if (this.state === 'closed') {`,
    tests: links,
  },
  {
    name: 'what was sent to a side that left unheard is lost',
    file: move,
    from: 'if (unheard) this.#window.sendAgain(this.#copies)',
    to: 'void unheard',
    tests: links,
  },
  {
    name: 'what was read by a side that moved is sent again',
    file: move,
    from: 'if (unheard) this.#window.sendAgain(this.#copies)',
    to: 'this.#window.sendAgain(this.#copies)\n    void unheard',
    tests: threads,
    only: 'C26 both ends may move, to two children, which then talk to',
  },
  {
    name: 'an end that crossed with its other side stays open',
    file: move,
    from: 'if (this.#crossing) discardParcels([this.#crossing], this.#transport)',
    to: '',
    tests: links,
  },
  {
    name: 'a frame is read beyond its end',
    file: frame,
    from: `      if (end > frame.length) throw malformedFrame()
      at = end`,
    to: '      at = end',
    tests: frames,
  },
  {
    name: 'a fragment exceeds its message',
    file: frame,
    from: '    if (whole.length + size > total) throw malformedFrame()\n',
    to: '',
    tests: frames,
  },
  {
    name: 'a message of any length is put together',
    file: frame,
    from: 'if (total > LARGEST_MESSAGE + HEADER) {',
    to: 'if (total < 0) {',
    tests: frames,
  },
  {
    name: 'a message of fragments ends early',
    file: frame,
    from: 'if (whole.length !== total || total < HEADER) throw malformedFrame()',
    to: 'if (total < HEADER) throw malformedFrame()',
    tests: frames,
  },
  {
    name: 'a fragment holds a fragment',
    file: frame,
    from: `    if ((flags & ~(WITH_TABLE | CREDITED)) === FRAGMENT) throw malformedFrame()
    this`,
    to: '    this',
    tests: frames,
  },
  {
    name: 'who ends does not say that it goes beyond the window',
    file: theLink,
    from: '      if (this.#window.next()) this.control(BEYOND)\n',
    to: '',
    tests: links,
  },
  {
    name: 'a close drops what was sent',
    file: theLink,
    from: `    closing.delete(this)
    this.flushAll()`,
    to: '    closing.delete(this)',
    tests: links,
  },
  {
    name: 'ends that come to a link that is closing stay open',
    file: theLink,
    from: 'if (this.#closing) return discardParcels(parcels, this.transport)',
    to: 'if (this.#closing) return',
    tests: links,
  },
  {
    name: 'what an encode sends on the same link waits for the next message',
    file: theLink,
    from: `    // What the encode of this message sent on this link comes behind it.
    if (this.#window.waiting.length > 0) this.#sendWaiting()
`,
    to: '',
    tests: links,
  },
  {
    name: 'what waited during an encode that failed is stuck',
    file: theLink,
    from: '    if (this.#window.waiting.length > 0) this.#sendWaiting()\n  }\n\n  /**\n   * Sends the opened',
    to: '  }\n\n  /**\n   * Sends the opened',
    tests: links,
  },
  {
    name: 'a flush sends half of what is being encoded',
    file: batch,
    from: 'const length = this.openAt >= 0 ? this.openAt : this.out.length',
    to: 'const length = this.out.length',
    tests: links,
  },
  {
    name: 'a full frame carries the first bytes of the next message',
    file: theLink,
    from: `      batch.sendUpTo(start)
      start = 0`,
    to: `      batch.sendUpTo(start)`,
    tests: links,
  },
  {
    name: 'attachments of a lost link stay open',
    file: batch,
    from: '    discardAttachments(this.#attachments)\n',
    to: '',
    tests: links,
  },
  {
    name: 'a channel is offered twice',
    file: channels,
    from: 'if (this.#open.has(id)) throw',
    to: 'if (this.#open.size < 0) throw',
    tests: ['packages/core/test/channel.test.ts'],
  },
  {
    name: 'channels stay open when their link is gone',
    file: channels,
    from: "    for (const channel of [...this.#open.values()]) channel.receive('close')\n",
    to: '',
    tests: processes,
    only: 'C15 a recv that is pending when the other end is closed, or',
  },
  {
    name: 'a channel is not paused before it is joined',
    file: channels,
    from: `        channel?.pause()
        this.#open.get(other)?.pause()
`,
    to: '',
    tests: processes,
    only: 'Q36 what lies unread at a creator that exits is not lost:',
  },
]
