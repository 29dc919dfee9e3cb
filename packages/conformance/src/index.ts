export { type ConformanceOptions, conformance, type TestRunner } from './suite.js'
