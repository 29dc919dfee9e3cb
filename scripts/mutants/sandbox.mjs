import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** What the tests of packages need. The links in `node_modules` of packages are relative, so they lead to the copy. */
const COPIED = ['packages', 'scripts', 'package.json', 'tsconfig.base.json', 'vitest.config.ts']

/** ms that the tests of one mutant may take. A mutant that makes them hang is killed, too. */
const LONGEST_RUN = 150_000
/** ms that a build, or the tests without a mutant, may take. */
const LONGEST_CHECK = 1_800_000

/** A copy of the repository, where sources may be changed. It shares the installed packages. */
export class Sandbox {
  #folder = mkdtempSync(join(tmpdir(), 'mp-mutants-'))
  #running

  constructor() {
    for (const name of COPIED) {
      // As they are in the working tree, with what is not committed, and as they are built there.
      cpSync(join(ROOT, name), this.#at(name), {
        recursive: true,
        verbatimSymlinks: true,
        filter: path => !path.endsWith(`${sep}.turbo`),
      })
    }
    symlinkSync(join(ROOT, 'node_modules'), this.#at('node_modules'))
    process.on('exit', this.remove)
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  }

  remove = () => {
    this.#kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Runs the tests of all these mutants without any. Gives what failed, or undefined. */
  async failureWithout(mutants) {
    const whole = mutants.filter(({ only }) => !only)
    const parts = mutants.filter(({ only }) => only)
    for (const some of [whole, parts]) {
      if (some.length === 0) continue
      const patterns = new Set(some.flatMap(({ only }) => only ?? []))
      const only = patterns.size > 0 ? [...patterns].map(each => `(${each})`).join('|') : undefined
      const tests = [...new Set(some.flatMap(({ tests }) => tests))]
      const { failure } = await this.#test({ tests, only }, LONGEST_CHECK)
      if (failure) return failure
    }
    return undefined
  }

  /** Puts the mutant into the copy, and runs its tests. The copy is as before then. */
  async try({ file, from, to, tests, only }) {
    const source = readFileSync(join(ROOT, file), 'utf8')
    const count = source.split(from).length - 1
    if (count !== 1) return { verdict: 'out of date', why: `its text is ${count} times in ${file}` }
    const [, name] = file.split('/')
    const home = join('packages', name)
    writeFileSync(
      this.#at(file),
      source.replace(from, () => to),
    )
    try {
      if (!tests.every(readsSources)) {
        const built = await this.#run([join(ROOT, 'node_modules/tsup/dist/cli-default.js')], home, LONGEST_CHECK)
        if (built.code !== 0) return { verdict: 'out of date', why: `it does not build: ${built.output}` }
      }
      const { failure, count } = await this.#test({ tests, only }, LONGEST_RUN)
      if (failure) return { verdict: 'killed', why: `by ${failure}` }
      if (count === 0) return { verdict: 'out of date', why: 'none of its tests is there' }
      return { verdict: 'lives', why: file }
    } finally {
      writeFileSync(this.#at(file), source)
      rmSync(this.#at(home, 'dist'), { recursive: true, force: true })
      cpSync(join(ROOT, home, 'dist'), this.#at(home, 'dist'), { recursive: true })
    }
  }

  /** Gives how many tests passed, and what failed first, if anything did. */
  async #test({ tests, only }, limit) {
    const report = this.#at('report.json')
    rmSync(report, { force: true })
    const args = ['run', ...tests, '--bail=1', '--reporter=json', `--outputFile=${report}`]
    if (only) args.push('-t', only)
    const { code } = await this.#run([join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], '.', limit)
    if (code === undefined) return { failure: 'a hang' }
    const { numPassedTests: count, testResults } = readReport(report)
    if (code === 0) return { count }
    const failed = testResults.flatMap(each => each.assertionResults).find(({ status }) => status === 'failed')
    return { failure: failed?.title ?? 'an error outside of the tests, or a crash' }
  }

  /** Runs Node in a folder of the copy. Without a code it took longer than `limit` ms. */
  #run(args, folder, limit) {
    return new Promise(resolve => {
      // A process group of its own: its end is the end of what its tests have started.
      const child = spawn(process.execPath, args, {
        cwd: this.#at(folder),
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      this.#running = child
      let output = ''
      child.stderr.on('data', chunk => {
        output = (output + chunk).slice(-10_000)
      })
      let late = false
      const timer = setTimeout(() => {
        late = true
        this.#kill()
      }, limit)
      child.on('exit', code => {
        clearTimeout(timer)
        this.#kill()
        resolve({ code: late ? undefined : (code ?? 1), output })
      })
    })
  }

  #kill() {
    const { pid } = this.#running ?? {}
    this.#running = undefined
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // All of the group have ended.
    }
  }

  #at(...path) {
    return join(this.#folder, ...path)
  }
}

/** The tests of core import its sources, and no other package. */
function readsSources(test) {
  return test.startsWith('packages/core/test/')
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return { numPassedTests: 0, testResults: [] }
  }
}
