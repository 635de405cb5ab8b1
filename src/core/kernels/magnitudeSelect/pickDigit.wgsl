// Goes down the digits of a selector until its rank is reached: the digit joins the bits found so far, the rank
// becomes the one among elements with that digit. A rank of 0 is no element: its bits are above all magnitudes.
// A thread owns one selector.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x >= P.selectors) { return; }
  let at = (P.first + g.x) * 4u;
  var rank = picks[at + 1u];
  if (rank == 0u) {
    picks[at] = 0xffffffffu;
    picks[at + 2u] = 0u;
    return;
  }
  let bins = 1u << P.bits;
  for (var digit = bins - 1u; digit > 0u; digit--) {
    let size = folded[g.x * bins + digit];
    if (rank <= size) {
      store(at, digit, rank, size);
      return;
    }
    rank -= size;
  }
  store(at, 0u, rank, folded[g.x * bins]);
}

fn store(at: u32, digit: u32, rank: u32, size: u32) {
  picks[at] |= digit << P.shift;
  picks[at + 1u] = rank;
  picks[at + 2u] = size;
}
