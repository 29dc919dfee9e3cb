import { readFileSync } from 'node:fs'
import type { Environment } from '../environment.js'
import type { ChartData } from '../page/charts.js'
import type { Reference, Result, Results } from '../results.js'
import { chartsOf } from './charts.js'
import { type Group, groupsOf } from './columns.js'
import { formatBytes, formatCount } from './format.js'
import { style } from './style.js'

/** One file that needs nothing else: it has the style, the numbers, the data of the charts, and the script that draws them. */
export function renderHtml(results: Results): string {
  const groups = groupsOf(results)
  const transports = [...new Set(results.results.map(result => result.transport))]
  const charts = groups.map(group => chartsOf(group, transports))
  const script = readFileSync(new URL('./page/page.js', import.meta.url), 'utf8')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>@mp benchmarks</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>@mp benchmarks</h1>
<p>${html(transports.join(', '))} beside raw Node, ${html(shownDate(results.environment.date))}</p>
</header>
${results.notes.map(note => `<p class="note">${html(note)}</p>`).join('\n')}
<section>
<h2>How to read this</h2>
${explanation(results)}
</section>
${groups.map((group, index) => section(group, charts[index] ?? [])).join('\n')}
<section>
<h2>Environment</h2>
${environmentTable(results.environment)}
</section>
<footer>Charts are drawn by Chart.js (MIT licence, © Chart.js Contributors), which is part of this file.</footer>
</main>
<script type="application/json" id="charts">${JSON.stringify(charts.flat()).replaceAll('<', '\\u003c')}</script>
<script>${script.replaceAll('</script', '<\\/script')}</script>
</body>
</html>
`
}

function explanation({ environment, results }: Results): string {
  const { min, max } = environment.rounds
  const python = new Map(
    results.flatMap(({ references = [] }) => references.filter(isPython).map(each => [each.value, each] as const)),
  )
  return `<ul>
<li><b>Ratio</b> is the figure divided by the same figure of raw Node: the same messages over the same medium, written by hand
without a library. For throughput 2× means twice as fast; for times 0.5× means half as long. Absolute figures differ between
machines and from hour to hour; ratios stay.</li>
<li>Subject and baseline take <b>turns</b> in this one run, ${min === max ? min : `${min} to ${max}`} rounds each, in children that were
warmed up. A throughput is the <b>median</b> of its rounds. A time is the median (p50) of all samples,
beside it the 99th percentile and the worst.</li>
<li><b>Spread</b> is half the distance between the quartiles of the rounds, in percent of the figure; in the charts it is the thin line
at the end of a bar. All chart axes are logarithmic.</li>
<li><b>Every message was checked</b> on arrival, its sequence number and its content; a wrong one ends the run without a report.</li>
${results.some(({ references }) => references) ? '<li><b>vs</b> another library, Python, or another shape of the same work: the figure divided by theirs, as measured in this run.</li>' : ''}
${python.size > 0 ? `<li>Python, per second in this run: ${html([...python.values()].map(pythonFigure).join(', '))}.</li>` : ''}
</ul>`
}

function section({ pattern, results, columns }: Group, charts: readonly ChartData[]): string {
  const height = Math.max(...charts.map(heightOf))
  const rows = results.map((result, index) => {
    const first = result.payload !== results[index - 1]?.payload
    const cells = columns.map(column => {
      const text = column.title === 'Payload' && !first ? '' : html(column.text(result))
      const marks = [column.align, ...(column.title === 'Ratio' ? ['ratio', verdict(result)] : [])]
      return `<td class="${marks.join(' ')}">${text}</td>`
    })
    return `<tr${first ? ' class="first"' : ''}>${cells.join('')}</tr>`
  })
  return `<section id="${pattern.name}">
<h2>${html(pattern.title)} <small>${pattern.name}, ${pattern.better} is better</small></h2>
<p>${html(pattern.description)} In flight: ${html(pattern.inFlight)}.</p>
<div class="charts">
${charts.map(chart => `<figure><figcaption>${chart.kind === 'ratio' ? 'Against raw Node' : 'Figures'}</figcaption><div class="chart" style="height:${height}px"><canvas id="${chart.id}" role="img" aria-label="${html(chart.axis)}; the table below has the numbers"></canvas></div></figure>`).join('\n')}
</div>
<div class="wide"><table>
<thead><tr>${columns.map(({ title, align }) => `<th class="${align}">${html(title)}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table></div>
</section>`
}

function pythonFigure({ name, value }: Reference): string {
  return `${name.replace(/^python /, '')} ${formatCount(value)}`
}

function isPython({ name }: Reference): boolean {
  return name.startsWith('python ')
}

/** High enough for every bar at a readable size, for any number of transports. */
function heightOf({ labels, series }: ChartData): number {
  return 110 + labels.length * (series.length * 17 + 14)
}

function verdict({ ratio, better }: Result): string {
  if (ratio === null) return ''
  return (better === 'higher' ? ratio >= 1 : ratio <= 1) ? 'good' : ''
}

function environmentTable(environment: Environment): string {
  const { cpu, cores, loadAverage, memory, os, node, v8, python, commit, codec, seats, packages, rounds } = environment
  const rows: [string, string][] = [
    ['Date', shownDate(environment.date)],
    ['Mode', environment.quick ? 'quick: shorter and fewer rounds' : 'full'],
    ['CPU', `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}`],
    ['Load average before', `${loadAverage.join(', ')} (1, 5, 15 minutes)`],
    ['Memory', `${formatBytes(memory.total)}, of which ${formatBytes(memory.free)} free`],
    ['Operating system', os],
    ['Node.js', `${node} (V8 ${v8})`],
    ['Python', python ?? 'not compared'],
    ['Commit', commit ?? 'not in a git work tree'],
    ['Codec', codec],
    ['Parent and child', seats ? `on the cores ${seats.parent} and ${seats.child}` : 'where the scheduler puts them'],
    ['Packages', pairs(packages, ' ')],
    ['Rounds that count', rounds.min === rounds.max ? `${rounds.min}` : `${rounds.min} to ${rounds.max}`],
    ...Object.entries(environment.payloads).map(([name, text]): [string, string] => [`Payload ${name}`, text]),
    ...Object.entries(environment.inFlight).map(([name, text]): [string, string] => [`In flight, ${name}`, text]),
    ...Object.entries(environment.baselines).map(([name, text]): [string, string] => [`Raw ${name}`, text]),
  ]
  return `<table class="environment"><tbody>
${rows.map(([name, text]) => `<tr><th>${html(name)}</th><td>${html(text)}</td></tr>`).join('\n')}
</tbody></table>`
}

function pairs(record: Readonly<Record<string, string>>, between: string): string {
  return Object.entries(record)
    .map(([name, value]) => name + between + value)
    .join(', ')
}

function shownDate(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}

function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
