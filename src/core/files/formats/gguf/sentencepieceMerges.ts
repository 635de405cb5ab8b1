// sentencepiece's BPE joins the neighbours whose joint piece has the highest score; a merge list says the same when
// every way to cut a piece in two known pieces is a merge, best piece first. The order among equals is that of
// Hugging Face's converter: longer left part first, then longer right part, then by the piece's id.

/** Pieces longer than this are found by no published tokenizer, and their cuts would grow with the square. */
const MAX_PIECE = 256

const length = (text: string) => [...text].length

/** Merges as pairs; `isPiece` says which ids may be joined and be the result. */
export function mergesOfScores(
  tokens: readonly string[],
  scores: ArrayLike<number>,
  isPiece: (id: number) => boolean,
): [string, string][] {
  const ids = new Map<string, number>()
  tokens.forEach((token, id) => {
    if (isPiece(id)) ids.set(token, id)
  })
  const merges: { pair: [string, string]; score: number; left: number; right: number }[] = []
  for (const [piece, id] of ids) {
    if (piece.length > MAX_PIECE) continue
    for (let at = 1; at < piece.length; at++) {
      const pair: [string, string] = [piece.slice(0, at), piece.slice(at)]
      if (ids.has(pair[0]) && ids.has(pair[1]))
        merges.push({ pair, score: scores[id], left: length(pair[0]), right: length(pair[1]) })
    }
  }
  // Stable: pieces were taken in the order of their ids.
  merges.sort((a, b) => b.score - a.score || b.left - a.left || b.right - a.right)
  return merges.map(({ pair }) => pair)
}
