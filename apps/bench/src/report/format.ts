/** Numbers for people: three significant digits and a unit that fits. */

const compact = new Intl.NumberFormat('en', {
  notation: 'compact',
  minimumSignificantDigits: 3,
  maximumSignificantDigits: 3,
})
const three = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** 1240000 -> '1.24M' */
export function formatCount(value: number): string {
  return value < 1000 ? three.format(value) : compact.format(value)
}

/** Bytes per second, in MB/s (10^6) without the unit: '1,370' */
export function formatMegabytes(bytesPerSecond: number): string {
  return three.format(bytesPerSecond / 1e6)
}

/** 31.2, 'us' -> '31.2 µs' */
export function formatDuration(value: number, unit: 'us' | 'ms'): string {
  const microseconds = unit === 'ms' ? value * 1000 : value
  if (microseconds < 1000) return `${three.format(microseconds)} µs`
  if (microseconds < 1e6) return `${three.format(microseconds / 1000)} ms`
  return `${three.format(microseconds / 1e6)} s`
}

/** 2.137 -> '2.14×' */
export function formatRatio(ratio: number | null): string {
  return ratio === null
    ? '-'
    : `${ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)}×`
}

/** 0.034 -> '±3 %' */
export function formatSpread(share: number): string {
  return `±${(share * 100).toFixed(0)} %`
}

export function formatBytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}
