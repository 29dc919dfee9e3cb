import { patterns } from '../patterns/index.js'
import type { Pattern } from '../patterns/pattern.js'
import { payloads } from '../payloads.js'
import type { Result, Results } from '../results.js'
import { relativeSpread } from '../statistics.js'
import { formatCount, formatDuration, formatMegabytes, formatRatio, formatSpread } from './format.js'

/** One column of the tables, on the terminal and in the page. */
export interface Column {
  readonly title: string
  readonly text: (result: Result) => string
  readonly align: 'left' | 'right'
  /** On a narrow terminal, columns with the highest number are left out first. A column with 0 always stays. */
  readonly gives: number
}

export interface Group {
  readonly pattern: Pattern
  /** Ordered by payload, then by transport, so that results to compare stand together. */
  readonly results: readonly Result[]
  readonly columns: readonly Column[]
}

export function groupsOf({ results }: Results): Group[] {
  return patterns.flatMap(pattern => {
    const own = results.filter(result => result.pattern === pattern.name)
    if (own.length === 0) return []
    const place = (result: Result) => payloads.findIndex(({ name }) => name === result.payload)
    const sorted = own.toSorted((a, b) => place(a) - place(b))
    return [{ pattern, results: sorted, columns: columnsOf(pattern, sorted) }]
  })
}

export function payloadLabel(result: Result): string {
  return payloads.find(({ name }) => name === result.payload)?.label ?? '-'
}

function columnsOf(pattern: Pattern, results: readonly Result[]): Column[] {
  const columns = [...(pattern.payloads.length > 0 ? [payload] : []), transport]
  const measured = pattern.latency ? latencyColumns(pattern.unit === 'ms' ? 'ms' : 'us') : throughputColumns(pattern)
  const compared = results.some(({ baseline }) => baseline) || !results.some(({ references }) => references)
  const empty = [
    ...(compared ? [] : ofBaseline),
    ...(results.some(({ bytesPerSecond }) => bytesPerSecond) ? [] : ['MB/s']),
  ]
  const own = measured.filter(column => !empty.includes(column.title))
  const names = new Set(results.flatMap(({ references = [] }) => references.map(({ name }) => name)))
  return [...columns, ...own, ...[...names].map(versus)]
}

/** Columns that are left out if nothing in raw Node does the same. */
const ofBaseline = ['Raw Node', 'Raw spread', 'Raw p50', 'Raw p99', 'Ratio', 'Raw Node is']

const payload: Column = { title: 'Payload', text: payloadLabel, align: 'left', gives: 0 }
const transport: Column = { title: 'Transport', text: result => result.transport, align: 'left', gives: 0 }
const ratio: Column = { title: 'Ratio', text: result => formatRatio(result.ratio), align: 'right', gives: 0 }
const spread: Column = {
  title: 'Spread',
  text: result => formatSpread(relativeSpread(result)),
  align: 'right',
  gives: 2,
}
const baselineName: Column = {
  title: 'Raw Node is',
  text: ({ baseline }) => baseline?.name ?? '-',
  align: 'left',
  gives: 5,
}
function versus(name: string): Column {
  const find = (result: Result) => result.references?.find(reference => reference.name === name)
  return {
    title: `vs ${name.startsWith('python ') ? 'Python' : name}`,
    text: result => {
      const reference = find(result)
      return reference ? formatRatio(reference.ratio) : ''
    },
    align: 'right',
    gives: 1,
  }
}

const throughputTitles: Readonly<Record<string, string>> = {
  'messages/s': 'Messages/s',
  'operations/s': 'Operations/s',
  'tasks/s': 'Tasks/s',
}

const throughputColumns = ({ unit }: Pattern): readonly Column[] => [
  {
    title: throughputTitles[unit] ?? unit,
    text: ({ value }) => formatCount(value),
    align: 'right',
    gives: 0,
  },
  {
    title: 'MB/s',
    text: ({ bytesPerSecond }) => (bytesPerSecond ? formatMegabytes(bytesPerSecond) : ''),
    align: 'right',
    gives: 3,
  },
  spread,
  {
    title: 'Raw Node',
    text: ({ baseline }) => (baseline ? formatCount(baseline.value) : '-'),
    align: 'right',
    gives: 0,
  },
  {
    title: 'Raw spread',
    text: ({ baseline }) => (baseline ? formatSpread(relativeSpread(baseline)) : ''),
    align: 'right',
    gives: 4,
  },
  ratio,
  baselineName,
]

function latencyColumns(unit: 'us' | 'ms'): Column[] {
  const time = (value: number | undefined) => (value === undefined ? '-' : formatDuration(value, unit))
  return [
    { title: 'p50', text: result => time(result.p50), align: 'right', gives: 0 },
    { title: 'p99', text: result => time(result.p99), align: 'right', gives: 0 },
    { title: 'max', text: result => time(result.max), align: 'right', gives: 3 },
    spread,
    { title: 'Raw p50', text: ({ baseline }) => time(baseline?.p50), align: 'right', gives: 0 },
    { title: 'Raw p99', text: ({ baseline }) => time(baseline?.p99), align: 'right', gives: 4 },
    ratio,
    baselineName,
  ]
}
