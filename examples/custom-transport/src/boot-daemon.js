import { Worker } from 'node:worker_threads'
import { LIFELINE } from './transport.js'

// A daemon must not outlive its parent, also when it is busy: another thread sees the end.
new Worker(new URL('./watchdog.js', import.meta.url), { workerData: LIFELINE, execArgv: [] }).unref()

await import('./boot.js')
