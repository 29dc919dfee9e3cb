const strangers = ['packages/unix-socket/test/strangers.test.ts']
const impostors = ['packages/unix-socket/test/impostors.test.ts']
const conformance = ['packages/unix-socket/test/conformance.test.ts']
const meetings = ['packages/unix-socket/test/rendezvous.test.ts']

const handshake = 'packages/core/src/network/handshake.ts'
const listener = 'packages/core/src/network/listener.ts'
const rendezvous = 'packages/unix-socket/src/rendezvous.ts'

/** Programs that do not know each other, and how the contexts of one program find each other. */
export const network = [
  {
    name: 'a client accepts any server',
    file: handshake,
    from: `bytes.length !== MAC || !timingSafeEqual(bytes, mac(key, 'server', challenge, nonce))`,
    to: 'bytes.length !== MAC',
    tests: impostors,
  },
  {
    name: 'a client uses the same nonce again',
    file: handshake,
    from: `const nonce = randomBytes(NONCE)
  let challenge`,
    to: `const nonce = Buffer.from(randomBytes(NONCE).fill(7))
  let challenge`,
    tests: impostors,
  },
  {
    name: 'a client accepts any version',
    file: handshake,
    from: ' || VERSION.compare(bytes.subarray(0, VERSION.length)) !== 0',
    to: '',
    tests: impostors,
  },
  {
    name: 'a client waits for a silent server for ever',
    file: handshake,
    from: `}, deadline - performance.now())
    const finish`,
    to: `}, 0x7fff_ffff)
    const finish`,
    tests: impostors,
  },
  {
    name: 'a client takes a hang-up before the proof for a closed listener',
    file: handshake,
    from: `if (known) return fail(new MpError('MP_CLOSED'`,
    to: `if (challenge) return fail(new MpError('MP_CLOSED'`,
    tests: impostors,
  },
  {
    name: 'a server accepts any client',
    file: handshake,
    from: `!timingSafeEqual(proof, mac(key, 'client', nonce, theirs))`,
    to: 'proof.length !== MAC',
    tests: conformance,
    only: 'L6 L7 a wrong key rejects with MP_AUTH on both sides, since',
  },
  {
    name: 'a server uses the same nonce again',
    file: handshake,
    from: `const nonce = randomBytes(NONCE)
  let known`,
    to: `const nonce = Buffer.from(randomBytes(NONCE).fill(7))
  let known`,
    tests: strangers,
    only: 'is not taken in',
  },
  {
    name: 'a proof does not say whose it is',
    file: handshake,
    from: '.update(` $' + '{role}`)',
    to: '',
    tests: impostors,
  },
  {
    name: 'a server waits for a silent client for ever',
    file: handshake,
    from: `}, LONGEST_HANDSHAKE)
    this.#timer.unref()`,
    to: `}, 0x7fff_ffff)
    this.#timer.unref()`,
    tests: strangers,
    only: '500 that send a byte a second',
  },
  {
    name: 'a stranger is trusted with large frames',
    file: 'packages/unix-socket/src/network.ts',
    from: 'longest: 256,',
    to: 'longest: 2 ** 30,',
    tests: strangers,
    only: 'cuts off at once',
  },
  {
    name: 'a key is not copied',
    file: handshake,
    from: 'return Uint8Array.from(key)',
    to: 'return key',
    tests: conformance,
    only: 'taken as it is at the call',
  },
  {
    name: 'a frame that comes right behind the handshake is lost',
    file: handshake,
    from: 'else this.#kept.push({ bytes, attachments })',
    to: '',
    tests: conformance,
    only: 'L4 what a client wrote that closed before the accept is',
  },
  {
    name: 'a refusal is not told to the listener',
    file: handshake,
    from: `events.refused(new MpError('MP_AUTH', 'somebody connected who does not know the key'))`,
    to: '',
    tests: conformance,
    only: 'L6 L7 a wrong key rejects with MP_AUTH on both sides, since',
  },
  {
    name: 'a listener keeps any number of strangers',
    file: listener,
    from: 'if (this.#strangers.size >= MOST_STRANGERS) oldest?.()',
    to: 'void oldest',
    tests: strangers,
    only: 'keeps 1,000',
  },
  {
    name: 'a listener keeps any number of refusals',
    file: listener,
    from: 'arrived instanceof Connection || this.#arrived.length < MOST_REFUSALS',
    to: 'arrived instanceof Connection || arrived instanceof MpError',
    tests: strangers,
    only: 'keeps 64',
  },
  {
    name: 'a listener that closes leaves strangers connected',
    file: listener,
    from: 'for (const cut of [...this.#strangers]) cut()',
    to: '',
    tests: strangers,
    only: 'when it closes',
  },
  {
    name: 'a listener that closes leaves connections that nobody accepted',
    file: listener,
    from: 'for (const each of this.#arrived) if (each instanceof Connection) void each.close()',
    to: '',
    tests: strangers,
    only: 'when it closes',
  },
  {
    name: 'a name stays taken when serve has ended',
    file: listener,
    from: 'for (const [name] of entries) this.#queues.delete(name)',
    to: '',
    tests: conformance,
    only: 'name is free again',
  },
  {
    name: 'a served queue of elsewhere is accepted',
    file: 'packages/core/src/network/served-queue.ts',
    from: 'queue.transport !== transport || !queue.home',
    to: 'queue.transport === undefined',
    tests: conformance,
    only: 'name that is not served',
  },
  {
    name: 'the socket of a program takes whoever comes',
    file: 'packages/unix-socket/src/control.ts',
    from: `  if (!timingSafeEqual(bytes.subarray(0, SECRET), secret)) return undefined
`,
    to: '',
    tests: strangers,
    only: 'are for this user only',
  },
  {
    name: 'the socket of a program is open to all users',
    file: 'packages/unix-socket/src/address.ts',
    from: 'chmodSync(address, 0o600)',
    to: 'chmodSync(address, 0o666)',
    tests: strangers,
    only: 'are for this user only',
  },
  {
    name: 'the socket of a program keeps who stays silent',
    file: 'packages/unix-socket/src/acceptor.ts',
    from: 'setTimeout(() => connection.close(), LONGEST_SILENCE)',
    to: 'setTimeout(() => connection.close(), 0x7fff_ffff)',
    tests: strangers,
    only: 'are for this user only',
  },
  {
    name: 'a ticket opens twice',
    file: rendezvous,
    from: 'if (meeting.seats[end]) return connection.close()',
    to: '',
    tests: meetings,
  },
  {
    name: 'older news of who holds an end counts',
    file: rendezvous,
    from: 'if (!known || known.end.hops <= told.hops) this.#note(key, { end: told, at: connection })',
    to: 'this.#note(key, { end: told, at: connection })',
    tests: meetings,
  },
  {
    name: 'a departure is later than the arrival with as many hops',
    file: rendezvous,
    from: 'if (known && known.end.hops >= end.hops) return',
    to: 'if (known && known.end.hops > end.hops) return',
    tests: meetings,
  },
  {
    name: 'a context has any file removed',
    file: rendezvous,
    from: 'this.#claimed.has(path) || !isBeside(path, this.#acceptor.address)',
    to: 'this.#claimed.has(path)',
    tests: meetings,
  },
  {
    name: 'a context has the socket of another one removed',
    file: rendezvous,
    from: 'this.#claimed.has(path) || !isBeside(path, this.#acceptor.address)',
    to: '!isBeside(path, this.#acceptor.address)',
    tests: meetings,
  },
  {
    name: 'ends that a dead context held stay open',
    file: rendezvous,
    from: 'for (const [key, { at }] of [...this.#ends]) if (at === connection) this.#gone(key)',
    to: '',
    tests: meetings,
  },
  {
    name: 'ends on the way to a dead context stay open',
    file: rendezvous,
    from: 'for (const via of [...this.#underWay.keys()]) this.#ask(via)',
    to: '',
    tests: meetings,
  },
  {
    name: 'one context that cannot read a wire speaks for all',
    file: rendezvous,
    from: 'if (!unanswered?.delete(connection) || unanswered.size > 0) return',
    to: 'if (!unanswered?.delete(connection)) return',
    tests: meetings,
  },
  {
    name: 'an end is closed while its other end waits to be opened',
    file: rendezvous,
    from: '|| this.#meetings.has(via) ||',
    to: '||',
    tests: meetings,
  },
  {
    name: 'what was on its way over a wire whose end is gone stays open',
    file: rendezvous,
    from: `    // Nor will anybody read what was sent to it.
    this.lost(token)
`,
    to: '',
    tests: meetings,
  },
  {
    name: 'an end that comes after its other end is gone waits for ever',
    file: rendezvous,
    from: `      meeting.seats[end] = 'gone'
`,
    to: '',
    tests: meetings,
  },
  {
    name: 'an end is lost before all word of it can have come',
    file: rendezvous,
    from: 'setTimeout(act, LAST_WORDS).unref()',
    to: 'act()',
    tests: meetings,
  },
  {
    name: 'an end that moves on does not count its hops',
    file: 'packages/unix-socket/src/tickets.ts',
    from: '  end.hops++\n',
    to: '',
    tests: conformance,
    only: 'C22 in a message whose sender has closed, and whose reader',
  },
  {
    name: 'a main program that exits does not wait for ends that were sent',
    file: rendezvous,
    from: 'this.#acceptor.acceptAtExit(isEnough, exitDeadline())',
    to: '',
    tests: ['packages/unix-socket/test/connecting.test.ts'],
    only: 'process.exit',
  },
]
