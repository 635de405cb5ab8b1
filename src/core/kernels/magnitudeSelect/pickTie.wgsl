// picks[selector].w = index of the first tie that is not taken, so that exactly `rank` ties stand before it:
// blocks are passed by their counts, the last one element by element. A thread owns one selector.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x >= P.selectors) { return; }
  let at = (P.first + g.x) * 4u;
  var rank = picks[at + 1u];
  if (rank == 0u || rank == picks[at + 2u]) {
    picks[at + 3u] = select(0xffffffffu, 0u, rank == 0u);
    return;
  }
  var block = 0u;
  for (; block < P.blocks; block++) {
    let size = ties[g.x * P.blocks + block];
    if (rank < size) { break; }
    rank -= size;
  }
  // `rank` ties of this block are taken; the next one is the first that is not.
  for (var i = block * P.blockSize; i < P.count; i++) {
    var value = model1(i);
    if (P.minusBase == 1u) { value -= base1(i); }
    if ((bitcast<u32>(value) & 0x7fffffffu) != picks[at]) { continue; }
    if (rank == 0u) {
      picks[at + 3u] = i;
      return;
    }
    rank--;
  }
}
