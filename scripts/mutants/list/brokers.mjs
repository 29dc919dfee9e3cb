const threads = ['packages/worker-threads/test/conformance.test.ts']
const memory = ['packages/memory/test/conformance.test.ts']
const strangers = ['packages/unix-socket/test/strangers.test.ts']

const homes = ['packages/core/test/semaphore-home.test.ts']
const remotes = ['packages/core/test/remote-semaphore.test.ts']

const holders = 'packages/core/src/broker/holders.ts'
const homeLink = 'packages/core/src/broker/home-link.ts'
const semaphore = 'packages/core/src/semaphore/home.ts'
const remote = 'packages/core/src/semaphore/remote.ts'
const barrier = 'packages/core/src/barrier/home.ts'

/** What all homes share, semaphores and barriers. */
export const brokers = [
  {
    name: 'a call that still waits when the home moves is made twice',
    file: homeLink,
    from: '        this.link.withdraw(new Set([...this.calls.values()].map(({ type }) => type)))\n',
    to: '',
    tests: threads,
    only: 'Q36 calls that are made while their context learns of the move',
  },
  {
    name: 'a handle may have the id of an object of another kind',
    file: 'packages/core/src/broker/of-kind.ts',
    from: 'if (found === undefined || found instanceof kind) return found',
    to: 'if (kind) return found',
    tests: ['packages/core/test/forged-handles.test.ts'],
  },
  {
    name: 'a holder is never given credit',
    file: holders,
    from: '        link.credit(message.cost)\n',
    to: '',
    tests: threads,
    only: 'Q31',
  },
  {
    name: 'another program lets a holder join',
    file: holders,
    from: `        if (this.isForeign(holder)) throw new MpError('MP_DECODE', 'another program cannot let a holder join')
`,
    to: '',
    tests: strangers,
    only: 'do no harm beyond that queue',
  },
  {
    name: 'calls are not made again when the home has moved',
    file: homeLink,
    from: '        for (const number of this.calls.keys()) this.ask(number)\n',
    to: '',
    tests: threads,
    only: 'home ends in order|Q36 calls',
  },
  {
    name: 'calls stay pending when the home is gone',
    file: homeLink,
    from: 'for (const call of calls) call.lost(this.#user.lostError(cause))',
    to: '',
    tests: threads,
    only: 'Q36 a queue whose creator is killed is shut down for the',
  },
  {
    name: 'a handle that closes leaves the link open',
    file: homeLink,
    from: '    if (this.#handles === 0) this.link.close()\n',
    to: '',
    tests: threads,
    only: 'what a context holds when it closes its last handle passes',
  },
  {
    name: 'the first handle that closes closes the link',
    file: homeLink,
    from: 'if (this.#handles === 0) this.link.close()',
    to: 'if (this.#handles >= 0) this.link.close()',
    tests: threads,
    only: 'a handle that closes leaves the other handles',
  },
  {
    name: 'a call that does not wait is refused before a release that was sent',
    file: semaphore,
    from: 'if (nowait && this.#grants.size === 0) return acquirer.refused()',
    to: 'if (nowait) return acquirer.refused()',
    tests: homes,
  },
  {
    name: 'a permit of a dead holder is as good as any',
    file: semaphore,
    from: 'if (abandoned) this.#abandoned++',
    to: 'void abandoned',
    tests: threads,
    only: 'LK8 an RLock that was entered more than once passes on',
  },
  {
    name: 'a dead holder keeps its permits',
    file: semaphore,
    from: '    for (const grant of party.grants) this.release(party, grant, true)\n',
    to: '',
    tests: threads,
    only: 'LK8 an RLock that was entered more than once passes on',
  },
  {
    name: 'the calls of a dead context stay in line for a permit',
    file: semaphore,
    from: `    this.#holding.remove(isIts)
    this.#seeing.remove(isIts)
    if (this.#last`,
    to: `    this.#seeing.remove(isIts)
    if (this.#last`,
    tests: threads,
    only: 'killed in line',
  },
  {
    name: 'a bounded semaphore goes one beyond its limit',
    file: semaphore,
    from: 'if (this.#value + count > this.limit) return false',
    to: 'if (this.#value + count > this.limit + 1) return false',
    tests: memory,
    only: 'SM1',
  },
  {
    name: 'a permit that another context gave back is given back again',
    file: semaphore,
    from: '      this.#revoke(party, count)\n',
    to: '',
    tests: threads,
    only: 'released for it|LK4',
  },
  {
    name: 'numbers of grants are used again when the home has moved',
    file: semaphore,
    from: '    home.#nextGrant = nextGrant\n',
    to: '',
    tests: homes,
  },
  {
    name: 'a home that moves forgets who holds a permit',
    file: semaphore,
    from: '        owned.push([grant, holder])\n',
    to: '',
    tests: homes,
  },
  {
    name: 'the newest permits end when a context gives back what others hold',
    file: semaphore,
    from: 'owned.sort(([a], [b]) => a - b)',
    to: 'owned.sort(([a], [b]) => b - a)',
    tests: homes,
  },
  {
    name: 'a home that moves forgets that a permit was abandoned',
    file: semaphore,
    from: '    home.#abandoned = abandoned\n',
    to: '',
    tests: homes,
  },
  {
    name: 'a permit that comes too late is kept',
    file: remote,
    from: 'if (number > 0) this.#home.tell(protocol.RELEASE, number, abandoned ? 1 : 0)',
    to: 'void [number, abandoned]',
    tests: remotes,
  },
  {
    name: 'an abandoned permit that comes too late passes on as a good one',
    file: remote,
    from: 'if (number > 0) this.#home.tell(protocol.RELEASE, number, abandoned ? 1 : 0)',
    to: 'if (number > 0) this.#home.tell(protocol.RELEASE, number, abandoned ? 0 : 0)',
    tests: remotes,
  },
  {
    name: 'a close abandons what was just released',
    file: remote,
    from: `  close(): void {
    this.#releaseIdle()`,
    to: '  close(): void {',
    tests: remotes,
  },
  {
    name: 'an arrival at a broken barrier waits',
    file: barrier,
    from: '    if (this.#broken) return arrival.broken(undefined)\n',
    to: '',
    tests: memory,
    only: 'BR4',
  },
  {
    name: 'a barrier with an action moves whole',
    file: barrier,
    from: 'if (this.#has(undefined) || this.#action) this.abort()',
    to: 'if (this.#has(undefined)) this.abort()',
    tests: threads,
    only: 'BR3 one with an action is broken when the context that made',
  },
  {
    name: 'a broken barrier is whole when it has moved',
    file: barrier,
    from: '    home.#broken = broken\n',
    to: '',
    tests: threads,
    only: 'BR3 one with an action is broken when the context that made',
  },
  {
    name: 'a death while the action runs goes unnoticed',
    file: barrier,
    from: '[...this.#waiting, ...(this.#acting ?? [])].some',
    to: '[...this.#waiting].some',
    tests: threads,
    only: 'BR3 one that is killed while the action runs breaks it for',
  },
  {
    name: 'calls pass a barrier that was reset while its action ran',
    file: barrier,
    from: '    if (this.#acting !== generation) return\n    this.#acting = undefined',
    to: '    this.#acting = undefined',
    tests: threads,
    only: 'BR3 a reset while the action runs frees its generation, and',
  },
  {
    name: 'a call that gives up leaves the others waiting',
    file: barrier,
    from: `    this.#acting = this.#acting?.filter(each => each !== arrival)
    this.abort()`,
    to: '    this.#acting = this.#acting?.filter(each => each !== arrival)',
    tests: memory,
    only: 'BR6',
  },
  {
    name: 'a context that dies at a barrier leaves the others waiting',
    file: barrier,
    from: 'if (this.#has(holder)) this.abort()',
    to: 'void holder',
    tests: threads,
    only: 'while it waits breaks it',
  },
]
