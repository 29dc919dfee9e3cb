/** What the page's script draws; made by report/html.ts and put into the page as JSON. */
export interface ChartData {
  /** The id of the canvas. */
  readonly id: string
  readonly kind: 'ratio' | 'value'
  /** One group of bars each: the payloads. */
  readonly labels: readonly string[]
  readonly unit: 'messages/s' | 'tasks/s' | 'us' | 'ms'
  readonly axis: string
  readonly series: readonly Series[]
}

export interface Series {
  readonly label: string
  /** Which transport, counted from 0; it decides the colour. */
  readonly transport: number
  /** Raw Node beside the transport: the same colour, lighter. */
  readonly raw: boolean
  /** One per label; null where it was not measured. */
  readonly bars: readonly (Bar | null)[]
}

export interface Bar {
  readonly value: number
  readonly text: string
  /** The quartiles of the rounds. */
  readonly low: number
  readonly high: number
}
