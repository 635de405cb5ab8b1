// sentencepiece's BPE joins the neighbours whose joint piece has the highest score; a merge list says the same when
// every way to cut a piece in two known pieces is a merge, best piece first. The order among equals is that of
// Hugging Face's converter: longer left part first, then longer right part, then by the piece's id.

/** Pieces longer than this are found by no published tokenizer, and their cuts would grow with the square. */
const MAX_PIECE = 256

interface Cut {
  pair: [string, string]
  /** characters */
  left: number
  right: number
}

/** Merges as pairs; `isPiece` says which ids may be joined and be the result. */
export function mergesOfScores(
  tokens: readonly string[],
  scores: ArrayLike<number>,
  isPiece: (id: number) => boolean,
): [string, string][] {
  const known = new Set<string>()
  const ids: number[] = []
  tokens.forEach((token, id) => {
    if (!isPiece(id)) return
    known.add(token)
    if (token.length > 1 && token.length <= MAX_PIECE) ids.push(id)
  })
  // Stable: equals stay in the order of their ids.
  ids.sort((a, b) => scores[b] - scores[a])
  const merges: [string, string][] = []
  for (let begin = 0; begin < ids.length; ) {
    let end = begin + 1
    while (end < ids.length && scores[ids[end]] === scores[ids[begin]]) end++
    const cuts = ids.slice(begin, end).flatMap((id) => cutsOf(tokens[id], known))
    // Cuts of one piece come in order.
    if (end - begin > 1) cuts.sort((a, b) => b.left - a.left || b.right - a.right)
    for (const { pair } of cuts) merges.push(pair)
    begin = end
  }
  return merges
}

/** Longest left part first. */
function cutsOf(piece: string, known: ReadonlySet<string>): Cut[] {
  const cuts: Cut[] = []
  const total = characters(piece)
  for (let at = piece.length - 1; at > 0; at--) {
    const left = piece.slice(0, at)
    if (!known.has(left)) continue
    const right = piece.slice(at)
    if (!known.has(right)) continue
    const length = characters(left)
    cuts.push({ pair: [left, right], left: length, right: total - length })
  }
  return cuts
}

const characters = (text: string): number => (/[\ud800-\udfff]/.test(text) ? [...text].length : text.length)
