// Mutants of `npm run mutate` that the harness cannot notice, each with the reason: nearly all compute the same
// values. An entry that matches no survivor is reported as stale.

export interface Equivalent {
  /** kernels' names, or `accessors` for the text of spec.ts and shared/packed.wgsl */
  kernels: readonly string[]
  /** pattern of the mutated line */
  changed: RegExp
  /** the line before, where the change alone could be another's */
  line?: RegExp
  reason: string
}

const widthUnread =
  'a wider read meets columns that are masked when written, or multiplied by the zeros of the other factor'
const clamped = 'rows past the last are read only for results that are not written'
const extraThread = 'the extra thread computes rows that are not written, or the same row again'
const wholeFours = 'rows are whole fours here and the width is not read'

export const EQUIVALENT_MUTANTS: readonly Equivalent[] = [
  {
    kernels: ['embeddingBackward'],
    changed: /^var segment = segmentOf\[rows\[(\(i \+ 1u\)|end)\]\];/,
    reason: 'a wrong first segment only closes an empty sum',
  },
  {
    kernels: ['rmsNorm', 'crossEntropy'],
    changed: /^if \(g\.[xy] >=? P\.(rowsPerY|T) \|\| [tr] >= P\.[TR]\) \{ return; \}/,
    reason: extraThread,
  },
  {
    kernels: ['rmsNorm', 'squareAccumulate'],
    changed: /^let v = -\((x4\(row, c, P\.C\)|a4\(i, 0u, 4u\))\);/,
    reason: 'only squared',
  },
  {
    kernels: ['matmul'],
    // The guard only spares work: `store` has its own.
    line: /^if \(n >= P\.N \|\| m >= P\.M\) \{ return; \}/,
    changed: /^if \(n > P\.N \|\| m >= P\.M\) \{ return; \}|^$/,
    reason: extraThread,
  },
  {
    kernels: ['matmul', 'matmulBackwardInput', 'matmulBackwardWeight'],
    changed: /^if \([nk] >= P\.[NK] \|\| [mn] > P\.[MN]\) \{ return; \}/,
    reason: extraThread,
  },
  {
    kernels: ['matmul', 'matmulBackwardInput', 'weightedGram'],
    changed: /^let last\w* = P\.\w+( \+ 1u)?;|^let lastB = P\.count - 1u;|min\(m, P\.M( \+ 1u)?\)/,
    reason: clamped,
  },
  {
    kernels: ['matmul'],
    changed: /(weight4|x4)\(\w+, k, P\.xStride\)|residual4\(row, n, P\.K\)/,
    reason: widthUnread,
  },
  {
    kernels: ['matmulBackwardInput'],
    changed: /^for \(var n = 0u; (n <= P\.N|last < P\.N);/,
    reason: 'turns past the last add zeros; an endless loop is cut short by the command itself',
  },
  {
    kernels: ['matmulBackwardInput'],
    changed:
      /P\.dyStride, n, P\.K\)|^if \(.*n.* < P\.N\) \{ return v|^if \(\(n \+ \du\) \+ 4u|^if \(n \+ [58]u|2u, 4u\) </,
    reason: 'masked by the comparison below; the early return is only a short cut',
  },
  {
    kernels: ['matmulBackwardWeight'],
    changed: /^let (lower|upper) = dy4\(row, n( \+ 4u)?, P\.K\);/,
    reason: clamped,
  },
  {
    kernels: ['addBias', 'gatherRows', 'scatterRows', 'poolSpans', 'poolSpansBackward'],
    changed: /\w4\([^()]*, P\.\w*[sS]tride\)/,
    reason: widthUnread,
  },
  {
    kernels: ['attentionWeights', 'attentionWeightsBackward'],
    changed: /^var sum = 1\.0;/,
    reason: 'the softmax and its gradient do not depend on a constant added to all scores',
  },
  {
    kernels: ['attentionWeights'],
    changed: /^let e = -\(/,
    reason: 'shares of a total that changes sign with them',
  },
  {
    kernels: ['softCap', 'attentionWeights'],
    changed: /^if \(v (>|>=) (0\.1|1\.5\d*e-1)\) \{ return sign/,
    reason: 'both formulas hold where they meet',
  },
  {
    kernels: ['attentionWeights'],
    changed: /^return x \* \(1\.0 - v \* v \* \(1\.0 \/ 3\.0/,
    reason: 'the last term of the series is less than a softmax shows; softCap is held to it',
  },
  {
    kernels: ['attentionWeightsBackward'],
    changed: /sum -= dot\(rows4\(query|^slope \*= soft_cap_slope\(P\.scale \* sum, -\(P\.cap\)\);/,
    reason: "the cap's derivative is the same on both sides of zero",
  },
  {
    kernels: ['crossEntropy'],
    changed: /; v (<=|<) P\.(V|stride); v|logits4\(row, [^()]*, P\.stride\)/,
    reason: 'columns past V are masked by inside(v)',
  },
  {
    kernels: ['pickToken'],
    changed: /^var winner = 1u;/,
    reason: 'the first logit above −3e38 replaces it',
  },
  {
    kernels: ['pickToken'],
    changed: /^let u = \(f32\(pcg\(key \+ v\) >> 9u\)( [-+] [\d.e-]+)?\) \*/,
    reason: 'moves u by at most 2⁻²³, less than float32 shows in the scores',
  },
  {
    kernels: ['pickToken'],
    changed: /^let u = -\(|^score -= log\(log\(u\)\);/,
    reason: 'SwiftShader takes the logarithm of the magnitude; other adapters give NaN and are noticed',
  },
  {
    kernels: ['adamW'],
    changed: /^let \w+ = .*\w4\(i, 0u, P\.count( \+ i)?\)/,
    reason: 'lanes past the end are read and not written',
  },
  {
    kernels: ['weightedGram'],
    changed: /^if \(.*(i > P\.rowsA|j > P\.rowsB|j >= P\.count)/,
    reason: extraThread,
  },
  {
    kernels: ['weightedGram'],
    changed:
      /P\.stride\)|\(P\.count \+ 1u\)|<= vec4u\(P\.count\)|vec4u\(0u, 1u, 2u, 4u\)|w4\(\du, p, P\.count\)/,
    reason: wholeFours,
  },
  {
    kernels: ['weightedGram'],
    changed: /lane <= 4u|lane < 5u/,
    reason: 'the neighbour stores its own value after it on an adapter that runs threads in order',
  },
  {
    kernels: ['writeMerge'],
    changed: /^if \(P\.(rows >= 0u|stride > 0u)\)/,
    reason: 'without rows the shield is zero and nothing is taken away',
  },
  {
    kernels: ['writeMerge', 'objectiveGradient', 'chooseRows'],
    changed: /rows_?4\([jk] \* P\.stride, i, P\.rows\)/,
    reason: wholeFours,
  },
  {
    kernels: [
      ...[
        'combine',
        'squareAccumulate',
        'damp',
        'softCap',
        'widen',
        'narrow',
        'accumulateDifference',
        'writeMerge',
      ],
      ...['fisherAccumulate', 'fisherFinish', 'objectiveGradient'],
      ...['absoluteAccumulate', 'weighByMagnitude', 'chooseRows'],
    ],
    changed: /\w4\(\w+, 0u, 8u[,)]/,
    reason: wholeFours,
  },
  {
    kernels: ['fisherFinish'],
    changed: /select\(vec4f\(1\.5e\+0\), shares, isShared\)/,
    reason: 'any divisor but zero: the quotient is not used where nobody has a share',
  },
  {
    kernels: ['accessors'],
    changed: /^fn put_out4.*\{ out\[\(row_( - k_)?\) >> 2u\] = vec2u\(/,
    reason: 'packed rows are only written with k = 0',
  },
  {
    kernels: ['accessors'],
    changed: /^fn weight4.*(<= n_|k_ < n_|\(k_ \+ 1u\) \+ 3u < n_|k_ \+ 4u < n_).*= weight1\(/,
    reason: 'what a packed weight past its row is multiplied with is masked',
  },
  {
    kernels: ['accessors'],
    changed: /k_ \+ 0u <= n_/,
    reason: 'no kernel asks for a four that starts past the end of its row',
  },
  {
    kernels: ['accessors', 'countNonFinite'],
    changed: /\(rounded & 0x7fffffffu\) > 0x7f800000u|\| 65u|2139095041u|32257u/,
    reason: 'a NaN of the host has one payload, and which one comes out is not compared',
  },
  {
    kernels: ['accessors'],
    changed: /(magnitude|sign) >=? (0x47800000u|1199570945u)|31745u/,
    reason: 'the largest halves come out the same by either branch',
  },
  {
    kernels: ['accessors'],
    changed: /magnitude <=? (0x38800000u|947912705u)\) \{/,
    reason: 'the smallest normal half comes out the same by either branch',
  },
  {
    kernels: ['digitHistogram', 'countPatterns', 'countTies'],
    changed: /^for \(var i = (g\.x \* 4u|begin); i <= /,
    reason: 'a four that starts at the end has no element below it',
  },
  {
    kernels: ['digitHistogram'],
    changed: /^if \(word != held\) \{/,
    reason: 'runs are added sooner, the counts are the same',
  },
  {
    kernels: ['pickTie'],
    changed:
      /^for \(; (block <= P\.blocks|block < P\.count|rank < P\.blocks); block\+\+\)|^if \(rank <= size\) \{ break; \}/,
    reason: 'the search by elements starts earlier or in a block that has the tie',
  },
  {
    kernels: ['pickTie'],
    changed: /^for \(var i = block \* P\.blockSize; i <= P\.count/,
    reason: 'the tie is found before the end',
  },
  {
    kernels: ['keepByRank'],
    changed: /min\(\(P\.count \+ 1u\), P\.end/,
    reason: extraThread,
  },
  {
    kernels: ['keepByRank'],
    changed: /draws >= vec4u\(table\[0\]\)|places <= vec4u\(table\[P\.width/,
    reason: 'ranks are counted where the draw decides without',
  },
  {
    kernels: ['keepByRank'],
    changed: /^let (own|others) = magnitudes\(\([ij] \+ 1u\)\);/,
    reason: 'a place inside a four gives the same four',
  },
  {
    kernels: ['keepByRank'],
    changed: /j (<= min|< max)\(rowEnd\.w, P\.count\)/,
    reason: 'places past the row are read and not counted',
  },
  {
    kernels: ['keepByRank'],
    changed: /^rank = min\(rank, vec4u\(P\.width \+ 1u\)\);/,
    reason: 'only places past the end have ranks past the row, and they are not kept',
  },
  {
    kernels: ['combineTaskVectors'],
    changed: /^if \(P\.models >= 1u\) \{ delta\[1\]/,
    reason: 'a model that is not there is read and not summed',
  },
  {
    kernels: ['nearSwap', 'takeImportant'],
    changed: /^if \(i > P\.count\) \{ return; \}/,
    reason: 'of two equal guard words the result is the same guard word',
  },
  {
    kernels: ['rowDivergence'],
    changed:
      /^(var )?most(Model|Base) = (?!-\(max|max\(most\w+, -)|^for \(var i = (begin; i <= end|row; i < end)/,
    reason: 'any number near the largest keeps the exponentials finite',
  },
  {
    kernels: ['rowDivergence'],
    changed: /^var (sums|part) = -\(vec2f\(\)\);|^for \(var block = begin; block <= end/,
    reason: 'nothing, negated or added',
  },
  {
    kernels: ['rowDivergence'],
    changed: /^if \(abs\([sx]\) > 0\.25\)/,
    reason: 'both formulas hold where they meet',
  },
]
