const threads = ['packages/worker-threads/test/conformance.test.ts']
const processes = ['packages/child-process/test/conformance.test.ts']
const flushes = ['packages/child-process/test/exit-flush.test.ts']
const relays = ['packages/core/test/relay-lines.test.ts']

const contextEnd = 'packages/core/src/boot/context-end.ts'
const serve = 'packages/core/src/boot/serve.ts'
const lines = 'packages/core/src/process/relay-lines.ts'
const guard = 'packages/core/src/process/start-guard.ts'
const exitFlush = 'packages/child-process/src/exit-flush.ts'

/** How children begin and end. */
export const ends = [
  {
    name: 'what came over a connection that was reset is dropped',
    file: 'packages/child-process/src/pipe-handle.ts',
    from: '    this.#closing()\n',
    to: '',
    tests: ['packages/child-process/test/wire.test.ts'],
  },
  {
    name: 'a child that exits does not hand its homes over',
    file: contextEnd,
    from: '    void this.#handOverHomes(deadline)\n',
    to: '',
    tests: threads,
    only: 'Q36 two creators that exit at the same time, and hold the',
  },
  {
    name: 'what an exit handler of a child puts waits for a turn that never comes',
    file: contextEnd,
    from: '    noMoreTurns()\n',
    to: '',
    tests: threads,
    only: 'Q28',
  },
  {
    name: 'a process that exits flushes no wire',
    file: exitFlush,
    from: '  for (const wire of wires) wire.exit()\n',
    to: '',
    tests: flushes,
    only: 'flushes 5,000 puts of 1 kB before its process.exit.., run 1 of 10',
  },
  {
    name: 'an error that the user handles is told as the end',
    file: serve,
    from: `      if (process.listenerCount('uncaughtException') > 0) return
`,
    to: '',
    tests: threads,
    only: 'that the child handles itself',
  },
  {
    name: 'a line without an end fills the memory',
    file: lines,
    from: '    if (this.#length > LONGEST_LINE) lines.push(this.takeRest())\n',
    to: '',
    tests: relays,
  },
  {
    name: 'a slow reader lets output gather',
    file: lines,
    from: '    from.pause()\n',
    to: '',
    tests: relays,
  },
  {
    name: 'output stays paused when there is room again',
    file: lines,
    from: '    outlet.whenRoom(() => from.resume())\n',
    to: '',
    tests: relays,
  },
  {
    name: 'output that was paused stays so when the child has ended',
    file: lines,
    from: `      childEnded = true
      from.resume()`,
    to: '      childEnded = true',
    tests: relays,
  },
  {
    name: 'the last line is lost if it has no end',
    file: lines,
    from: '      outlet.write(lines.takeRest())\n',
    to: '',
    tests: relays,
  },
  {
    name: 'an output that fails ends the program',
    file: lines,
    from: `  from.on('error', () => {})
`,
    to: '',
    tests: relays,
  },
  {
    name: 'output is paused for a reader that is gone',
    file: lines,
    from: '      this.#isBroken = true\n      this.#goOn()',
    to: '      this.#isBroken = true',
    tests: relays,
  },
  {
    name: 'what is written to a reader that is gone is written all the same',
    file: lines,
    from: 'return bytes.length === 0 || this.#broken || this.#to.write(bytes)',
    to: 'return bytes.length === 0 || this.#to.write(bytes)',
    tests: relays,
  },
  {
    name: 'an import may start a process',
    file: guard,
    from: '  if (scope instanceof GuardedImport) throw refuse(scope.module, name, scope)\n',
    to: '',
    tests: threads,
    only: 'P61',
  },
  {
    name: 'a refused start that its module catches goes unnoticed',
    file: guard,
    from: '  scope?.refuse(error)\n',
    to: '',
    tests: threads,
    only: 'P23 a main module without a guard',
  },
  {
    name: 'a timer that an import has left may start a process',
    file: guard,
    from: '        this.#pending.set(id, new WeakRef(resource))\n',
    to: '        void resource\n',
    tests: [...threads, ...processes],
    only: 'P61',
  },
]
