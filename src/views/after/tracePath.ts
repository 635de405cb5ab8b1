/** A polyline of values over their index, in a box with the least at the bottom; infinite values are left out. */
export function tracePath(values: readonly number[], width: number, height: number): string {
  const finite = values.filter(Number.isFinite)
  if (finite.length === 0) return ''
  const low = Math.min(...finite)
  const range = Math.max(...finite) - low
  const points = values.flatMap((value, index) => {
    if (!Number.isFinite(value)) return []
    const x = values.length > 1 ? (index / (values.length - 1)) * width : 0
    const y = range > 0 ? height - 2 - ((value - low) / range) * (height - 4) : height / 2
    return [`${x.toFixed(1)},${y.toFixed(1)}`]
  })
  return `M${points.join('L')}`
}
