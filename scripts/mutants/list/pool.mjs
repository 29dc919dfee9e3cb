const threads = ['packages/worker-threads/test/conformance.test.ts']

const scheduler = 'packages/core/src/pool/scheduler.ts'
const workers = 'packages/core/src/pool/workers.ts'
const queue = 'packages/core/src/pool/task-queue.ts'
const dispatcher = 'packages/core/src/pool/dispatcher.ts'
const runner = 'packages/core/src/pool/task-runner.ts'
const encoding = 'packages/core/src/pool/encode-task.ts'

/** Pools. */
export const pool = [
  {
    name: 'a worker keeps on at a task that nobody waits for',
    file: scheduler,
    from: '        this.#gracePeriods.begin(worker, task, grace)\n',
    to: '',
    tests: threads,
    only: 'after the grace period',
  },
  {
    name: 'a lost task is tried again for ever',
    file: scheduler,
    from: '      current.losses++\n',
    to: '',
    tests: threads,
    only: 'gives the task to another worker, a few times',
  },
  {
    name: 'a lost task with an end in it is tried again',
    file: scheduler,
    from: '&& !task.parcels && task.losses < MOST_LOSSES',
    to: '&& task.losses < MOST_LOSSES',
    tests: threads,
    only: 'what has taken an end with it',
  },
  {
    name: 'what a lost worker had not begun is lost',
    file: scheduler,
    from: '    this.#queue.putBackAll(untouched)\n',
    to: '',
    tests: threads,
    only: 'PL27',
  },
  {
    name: 'an elastic pool shrinks below its bound',
    file: workers,
    from: 'if (this.#active > this.#min && worker.idleSince <= since) this.retire(worker)',
    to: 'if (worker.idleSince <= since) this.retire(worker)',
    tests: threads,
    only: 'as many workers as it must have',
  },
  {
    name: 'ends in tasks that are dropped stay open',
    file: queue,
    from: '      if (task.job.over) discardParcels(task.parcels, this.#transport)\n      else live',
    to: '      if (!task.job.over) live',
    tests: threads,
    only: 'given up before it began closes',
  },
  {
    name: 'a task with an end waits behind another one',
    file: dispatcher,
    from: 'if (task.parcels || task.callee.pace === undefined',
    to: 'if (task.callee.pace === undefined',
    tests: threads,
    only: 'submitted behind one that exits',
  },
  {
    name: 'one result that cannot travel takes its chunk with it',
    file: runner,
    from: `      } catch (error) {
        this.#results.rejected(id, i, error)
      }
    }
    this`,
    to: `      } catch (error) {
        failures?.set(i, error)
      }
    }
    this`,
    tests: threads,
    only: 'PL24',
  },
  {
    name: 'what an encode that failed had moved is gone',
    file: encoding,
    from: '      for (const earlier of used) earlier.rollback()\n',
    to: '',
    tests: threads,
    only: 'PL23',
  },
  {
    name: 'a task that is encoded within another writes into it',
    file: encoding,
    from: 'const body = slabInUse ? new ByteBuffer(64) : takeSlab()',
    to: 'const body = takeSlab()',
    tests: threads,
    only: 'a getter in the arguments of a call',
  },
]
