/** What the script of the page draws. report/charts.ts makes it, and report/html.ts puts it into the page as JSON. */
export interface ChartData {
  /** The id of the canvas. */
  readonly id: string
  readonly kind: 'ratio' | 'value'
  /** The payloads. There is a group of bars for each. */
  readonly labels: readonly string[]
  readonly unit: 'messages/s' | 'operations/s' | 'tasks/s' | 'us' | 'ms'
  readonly axis: string
  readonly series: readonly Series[]
}

export interface Series {
  readonly label: string
  /** The number of the transport, from 0, which decides the colour. */
  readonly transport: number
  /** Raw Node beside the transport: the same colour, lighter. */
  readonly raw: boolean
  /** One per label; null if it was not measured. */
  readonly bars: readonly (Bar | null)[]
}

export interface Bar {
  readonly value: number
  readonly text: string
  /** The quartiles of the rounds. */
  readonly low: number
  readonly high: number
}
