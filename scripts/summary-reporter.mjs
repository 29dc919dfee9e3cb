/** Ends a run of vitest with one plain line, for people and programs that read no colours. */
export default class SummaryReporter {
  onTestRunEnd(modules, errors) {
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) {
        const { state } = test.result()
        if (state in counts) counts[state]++
      }
      if (tests.length === 0 && module.state() === 'failed') counts.failed++
    }
    this.line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`
    process.once('exit', () => console.log(this.line))
  }
}
