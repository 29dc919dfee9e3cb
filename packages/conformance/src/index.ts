export { type FaultsOptions, faults } from './faults.js'
export { type ConformanceOptions, conformance, type TestRunner } from './suite.js'
