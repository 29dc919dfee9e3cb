import Table from 'cli-table3'
import pc from 'picocolors'
import type { Result, Results } from '../results.js'
import { type Column, type Group, groupsOf } from './columns.js'

type Colors = ReturnType<typeof pc.createColors>

const pipedWidth = 120
const gap = '  '

/** Prints the numbers on the terminal. Colours follow NO_COLOR and FORCE_COLOR; a narrow terminal shows fewer columns. */
export function printTable(results: Results, stream: NodeJS.WriteStream): void {
  const width = stream.columns ?? (Number(process.env.COLUMNS) || pipedWidth)
  const color = pc.createColors(pc.isColorSupported)
  const groups = groupsOf(results)
  const hidden = new Set<string>()

  for (const group of groups) {
    const { pattern } = group
    const columns = fitting(group, width)
    for (const { title } of group.columns.filter(column => !columns.includes(column))) hidden.add(title)
    const direction = `${pattern.better} is better`
    stream.write(`\n${color.bold(pattern.title)}${gap}${color.dim(`${pattern.name}, ${direction}`)}\n`)
    stream.write(`${render(group, columns, color)}\n`)
  }
  const legend = [
    'Ratio: the figure divided by that of raw Node; of throughputs the median over the rounds, which alternate in this run.',
    ...(results.results.some(({ references }) => references)
      ? ['vs: the figure divided by that of another library, of Python, or of another shape of the same work.']
      : []),
    ...(hidden.size > 0 ? [`Left out at ${width} columns: ${[...hidden].join(', ')}. The reports have them.`] : []),
  ]
  stream.write(`\n${legend.map(line => color.dim(wrap(line, width))).join('\n')}\n`)
}

function fitting({ columns, results }: Group, width: number): readonly Column[] {
  const widthOf = (column: Column) =>
    Math.max(column.title.length, ...results.map(result => column.text(result).length))
  let kept = columns
  for (;;) {
    const total = kept.reduce((sum, column) => sum + widthOf(column) + gap.length, 0)
    const first = Math.max(...kept.map(({ gives }) => gives))
    if (total <= width || first === 0) return kept
    kept = kept.filter(({ gives }) => gives !== first)
  }
}

function render({ results, pattern }: Group, columns: readonly Column[], color: Colors): string {
  const table = new Table({
    head: columns.map(({ title }) => color.dim(title)),
    colAligns: columns.map(({ align }) => align),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    chars: borderless,
  })
  let last: string | undefined
  for (const result of results) {
    const repeated = result.payload === last
    last = result.payload
    table.push(
      columns.map(column => {
        const text = column.text(result)
        if (column.title === 'Payload') return repeated ? '' : text
        if (column.title === 'Ratio') return ratioColor(result, pattern.better, color)(text)
        return text
      }),
    )
  }
  return table.toString().replaceAll(/ +$/gm, '')
}

function ratioColor({ ratio }: Result, better: 'higher' | 'lower', color: Colors): (text: string) => string {
  if (ratio === null) return color.dim
  const gain = better === 'higher' ? ratio : 1 / ratio
  if (gain >= 1) return text => color.green(color.bold(text))
  return gain >= 0.8 ? color.bold : text => color.yellow(color.bold(text))
}

function wrap(text: string, width: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line ? `${line} ${word}` : word
  }
  return [...lines, line].join('\n')
}

const borderless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: gap,
}
