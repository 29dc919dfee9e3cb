import type { Bar, ChartData } from '../page/charts.js'
import type { Result } from '../results.js'
import { rivals as libraries } from '../rivals/index.js'
import { type Group, payloadLabel } from './columns.js'
import { formatCount, formatDuration, formatRatio } from './format.js'

/** The two charts of a pattern: the ratios to raw Node, and the figures themselves, with raw Node beside each. */
export function chartsOf({ pattern, results }: Group, transports: readonly string[]): ChartData[] {
  const payloads = [...new Set(results.map(result => result.payload))]
  const find = (transport: string, payload: string) =>
    results.find(result => result.transport === transport && result.payload === payload)
  const bars = (transport: string, barOf: (result: Result) => Bar | null) =>
    payloads.map(payload => {
      const result = find(transport, payload)
      return result ? barOf(result) : null
    })
  const labels = payloads.map(payload => {
    const result = results.find(each => each.payload === payload)
    return result && payload !== 'none' ? payloadLabel(result) : pattern.name
  })
  const valueText = (value: number) =>
    pattern.unit === 'us' || pattern.unit === 'ms' ? formatDuration(value, pattern.unit) : formatCount(value)
  const { better, unit } = pattern
  const axis = {
    'messages/s': 'messages per second',
    'operations/s': 'operations per second',
    'tasks/s': 'tasks per second',
    us: 'time, median',
    ms: 'time, median',
  }[unit]
  const own = transports.filter(transport => results.some(result => result.transport === transport))
  const compared = own.filter(transport => results.some(each => each.transport === transport && each.ratio !== null))

  return [
    {
      id: `${pattern.name}-ratio`,
      kind: 'ratio' as const,
      labels,
      unit,
      axis: `ratio to raw Node (log scale), ${better} is better`,
      series: compared.map(transport => ({
        label: transport,
        transport: transports.indexOf(transport),
        raw: false,
        bars: bars(transport, ({ ratio, ratioSpread }) =>
          ratio === null || !ratioSpread
            ? null
            : { value: ratio, text: formatRatio(ratio), low: ratioSpread.low, high: ratioSpread.high },
        ),
      })),
    },
    {
      id: `${pattern.name}-value`,
      kind: 'value' as const,
      labels,
      unit,
      axis: `${axis} (log scale), ${better} is better`,
      series: own.flatMap(transport => {
        const baseline = results.find(result => result.transport === transport && result.baseline)?.baseline?.name
        const barOf = ({ value, spread }: Pick<Result, 'value' | 'spread'>) => ({
          value,
          text: valueText(value),
          low: spread.low,
          high: spread.high,
        })
        const common = { transport: transports.indexOf(transport) }
        const subject = { ...common, label: transport, raw: false, bars: bars(transport, barOf) }
        const rivals = rivalsOf(results, transport, own).map(name => ({
          ...common,
          label: isElsewhere(name) ? name : `${transport}, ${name}`,
          raw: true,
          bars: bars(transport, ({ references = [] }) => {
            const rival = references.find(reference => reference.name === name)
            return rival ? barOf(rival) : null
          }),
        }))
        if (!baseline) return [subject, ...rivals]
        const raw = bars(transport, result => result.baseline && barOf(result.baseline))
        return [subject, { ...common, label: `raw ${baseline}`, raw: true, bars: raw }]
      }),
    },
  ].filter(({ series }) => series.length > 0)
}

/**
 * What a transport is compared with if there is no raw Node. Other libraries and Python stand beside the first transport that has
 * them; another shape of the same work stands beside each.
 */
function rivalsOf(results: readonly Result[], transport: string, transports: readonly string[]): string[] {
  const namesOf = (each: string) =>
    results
      .filter(result => result.transport === each && !result.baseline)
      .flatMap(({ references = [] }) => references.map(({ name }) => name))
  const shown = new Set(transports.slice(0, transports.indexOf(transport)).flatMap(namesOf))
  return [...new Set(namesOf(transport))].filter(name => !(shown.has(name) && isElsewhere(name)))
}

/** Whether the figure has nothing to do with the transport beside it. */
function isElsewhere(name: string): boolean {
  return name.startsWith('python ') || libraries.some(library => library.name === name)
}
