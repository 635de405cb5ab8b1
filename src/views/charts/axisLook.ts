// How axes look, alike in every chart. Plain values for the chart library's XAxis and YAxis.

export const tickStyle = { fill: 'var(--muted)', fontSize: 11 }
export const axisLine = { stroke: 'var(--axis)' }

/** Values that a chart reads off: numbers without a line beside them, every tick shown. */
export const valueAxis = { interval: 0, tick: tickStyle, tickLine: false, axisLine: false } as const

/** What bars stand on: counted things, labelled where there is room. */
export const barAxis = {
  height: 20,
  interval: 'preserveStartEnd',
  tick: tickStyle,
  tickLine: false,
  axisLine,
} as const
