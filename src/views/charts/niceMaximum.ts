/** The next round number above: the top of an axis that starts at zero. One where there is nothing yet. */
export function niceMaximum(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((candidate) => candidate * power >= value)
  return (step ?? 10) * power
}
