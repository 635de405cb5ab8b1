// Metadata stores most numbers as float32, config.json as decimals.

/** The shortest decimal that float32 rounds to `value`: 1e-5 rather than 9.999999747378752e-6. */
export function shortFloat(value: number): number {
  if (!Number.isFinite(value)) return value
  for (let digits = 1; digits < 10; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return short
  }
  return value
}
