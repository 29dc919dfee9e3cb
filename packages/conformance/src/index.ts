export { type FaultsOptions, faults } from './faults.js'
/** For a transport's own tests. */
export { eventually, isAlive, within } from './harness.js'
export { patiently } from './patience.js'
export { rows } from './rows/index.js'
export type { Level, Row } from './rows/row.js'
export { runSoak, type SoakOptions, type SoakReport } from './soak/run-soak.js'
export { soak } from './soak.js'
export { type ConformanceOptions, conformance, type PlannedCase, plan, type TestRunner } from './suite.js'
