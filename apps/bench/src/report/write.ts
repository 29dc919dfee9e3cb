import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Options, UsageError } from '../options.js'
import type { Results } from '../results.js'
import { renderHtml } from './html.js'

/** Throws before the run, not after it, if a report cannot be written. */
export function checkWritable(files: readonly string[]): void {
  for (const file of files) {
    try {
      accessSync(existsSync(file) ? file : dirname(file), constants.W_OK)
    } catch (error) {
      throw new UsageError(`cannot write ${file}: ${(error as Error).message}`)
    }
    if (existsSync(file) && statSync(file).isDirectory())
      throw new UsageError(`cannot write ${file}: it is a directory`)
  }
}

export function writeReports(results: Results, { html, json }: Options): void {
  writeFileSync(json, `${JSON.stringify(results, rounded, 2)}\n`)
  writeFileSync(html, renderHtml(results))
  process.stdout.write(`\nReport: ${html}\nNumbers: ${json}\n`)
}

/** Six significant digits: no benchmark is more precise. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value
}
