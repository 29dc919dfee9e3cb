import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartConfiguration,
  Legend,
  LogarithmicScale,
  type Plugin,
  Tooltip,
} from 'chart.js'
import type { ChartData, Series } from './charts.js'

// Runs in the report, which is one file: nothing is loaded from elsewhere.

Chart.register(BarController, BarElement, CategoryScale, Legend, LogarithmicScale, Tooltip)

const data: ChartData[] = JSON.parse(document.getElementById('charts')?.textContent ?? '[]')
const dark = matchMedia('(prefers-color-scheme: dark)')

/** One hue per transport, told apart by people with the common colour deficiencies too (after Okabe and Ito). */
const hues = {
  light: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#7a6a00', '#555555'],
  dark: ['#56b4e9', '#f0883e', '#2fc7a0', '#e39ac4', '#e6c84b', '#b0b0b0'],
}

function colorOf({ transport, raw }: Series): string {
  const list = dark.matches ? hues.dark : hues.light
  return `${list[transport % list.length]}${raw ? '55' : ''}`
}

function theme(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

/** The line at 1, the range of the rounds over each bar, and the figure at its end. */
function annotations(chartData: ChartData): Plugin<'bar'> {
  return {
    id: 'annotations',
    afterDatasetsDraw(chart) {
      const { ctx, chartArea } = chart
      const x = chart.scales.x
      if (!x) return
      ctx.save()
      if (chartData.kind === 'ratio') {
        ctx.strokeStyle = theme('--text')
        ctx.lineWidth = 1.5
        const one = x.getPixelForValue(1)
        ctx.beginPath()
        ctx.moveTo(one, chartArea.top)
        ctx.lineTo(one, chartArea.bottom)
        ctx.stroke()
      }
      ctx.font = `11px ${Chart.defaults.font.family}`
      ctx.textBaseline = 'middle'
      for (const [index, series] of chartData.series.entries()) {
        for (const [at, bar] of series.bars.entries()) {
          const element = chart.getDatasetMeta(index).data[at]
          if (!bar || !element) continue
          const y = element.y
          const [low, high, end] = [bar.low, bar.high, bar.value].map(value => x.getPixelForValue(value))
          ctx.strokeStyle = theme('--text')
          ctx.lineWidth = 1
          ctx.beginPath()
          ctx.moveTo(low as number, y)
          ctx.lineTo(high as number, y)
          ctx.stroke()
          ctx.fillStyle = theme('--text')
          const leftwards = chartData.kind === 'ratio' && bar.value < 1
          ctx.textAlign = leftwards ? 'right' : 'left'
          const edge = leftwards
            ? Math.min(low as number, end as number) - 5
            : Math.max(high as number, end as number) + 5
          ctx.fillText(bar.text, edge, y)
        }
      }
      ctx.restore()
    },
  }
}

/** Whole decades hold the figures, with room at the ends for their text. */
function range({ kind, series }: ChartData): { min: number; max: number } {
  const all = series.flatMap(({ bars }) => bars.flatMap(bar => (bar ? [bar.low, bar.high, bar.value] : [])))
  const low = Math.min(...all)
  const high = Math.max(...all)
  if (kind === 'ratio') return { min: Math.min(0.5, low / 2), max: Math.max(2, high * 2) }
  return { min: 10 ** Math.floor(Math.log10(low) - 0.3), max: high * 4 }
}

/** Text at 1, 2, 5, 10, ... for ratios, at whole powers of ten for figures; '' at all else. */
function tick(value: number, { kind, unit }: ChartData): string {
  const leading = value / 10 ** Math.floor(Math.log10(value) + 1e-9)
  const round = (kind === 'ratio' ? [1, 2, 5] : [1]).some(each => Math.abs(each - leading) < 1e-6)
  if (!round) return ''
  if (kind === 'ratio') return `${Number(value.toPrecision(1))}×`
  if (unit !== 'us' && unit !== 'ms') return new Intl.NumberFormat('en', { notation: 'compact' }).format(value)
  const microseconds = Number((unit === 'ms' ? value * 1000 : value).toPrecision(1))
  return microseconds < 1000 ? `${microseconds} µs` : `${microseconds / 1000} ms`
}

function configuration(chartData: ChartData): ChartConfiguration<'bar', (number | null)[], string> {
  const { kind, labels, series, axis } = chartData
  const text = theme('--text')
  const grid = theme('--line')
  return {
    type: 'bar',
    data: {
      labels: [...labels],
      datasets: series.map(each => ({
        label: each.label,
        data: each.bars.map(bar => bar?.value ?? null),
        backgroundColor: colorOf(each),
        borderColor: colorOf({ ...each, raw: false }),
        borderWidth: each.raw ? 1 : 0,
        barPercentage: 0.9,
        categoryPercentage: 0.8,
        ...(kind === 'ratio' && { base: 1 }),
      })),
    },
    options: {
      indexAxis: 'y',
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      scales: {
        x: {
          type: 'logarithmic',
          ...range(chartData),
          title: { display: true, text: axis, color: text },
          ticks: { color: text, autoSkip: false, maxRotation: 0, callback: value => tick(Number(value), chartData) },
          grid: { color: context => (tick(context.tick?.value ?? 1, chartData) ? grid : 'transparent') },
        },
        y: { ticks: { color: text }, grid: { display: false } },
      },
      plugins: {
        legend: { position: 'top', align: 'start', labels: { color: text, boxWidth: 14 } },
        tooltip: {
          callbacks: {
            label: item => `${item.dataset.label}: ${series[item.datasetIndex]?.bars[item.dataIndex]?.text ?? ''}`,
          },
        },
      },
    },
    plugins: [annotations(chartData)],
  }
}

let drawn: Chart<'bar', (number | null)[], string>[] = []

function draw(): void {
  for (const chart of drawn) chart.destroy()
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily
  drawn = data.flatMap(chartData => {
    const canvas = document.getElementById(chartData.id)
    return canvas instanceof HTMLCanvasElement ? [new Chart(canvas, configuration(chartData))] : []
  })
}

draw()
dark.addEventListener('change', draw)
