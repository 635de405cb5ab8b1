// Results that were computed elsewhere, packed and read again: in a link, or shipped beside the page. Works in Node.
// How exact they are stands in results/format.ts.

export { type FittedLink, fitResults, type Kept } from './results/fit.ts'
export {
  linkLimits,
  type PackedResults,
  type ResultLimits,
  resultsVersion,
  shippedLimits,
} from './results/format.ts'
export { type PackOptions, packResults, type ResultRow, type ResultSet } from './results/pack.ts'
export { type UnpackedResults, unpackResults } from './results/unpack.ts'
