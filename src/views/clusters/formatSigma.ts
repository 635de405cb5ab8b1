/** Lengths in the plane, in the anchor's standard deviations. */
export const formatSigma = (value: number): string => `${value.toFixed(2)} σ`

/** Coordinates in the plane. */
export const formatPlace = (value: number): string => value.toFixed(2).replace('-', '−')
