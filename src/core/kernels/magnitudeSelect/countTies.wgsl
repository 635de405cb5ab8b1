// ties[selector, block] = how many elements of the block have exactly the selector's magnitude. Nothing is counted
// where all of them are taken or none. A thread owns one block of P.blockSize elements, whole fours.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x >= P.blocks) { return; }
  let at = (P.first + g.y) * 4u;
  if (picks[at + 1u] == 0u || picks[at + 1u] == picks[at + 2u]) { return; }
  let begin = g.x * P.blockSize;
  let end = min(begin + P.blockSize, P.count);
  var size = 0u;
  for (var i = begin; i < end; i += 4u) {
    var value = model4(i, 0u, 4u);
    if (P.minusBase == 1u) { value -= base4(i, 0u, 4u); }
    let isTie = (bitcast<vec4u>(value) & vec4u(0x7fffffffu)) == vec4u(picks[at]);
    for (var lane = 0u; lane < min(4u, end - i); lane++) {
      if (isTie[lane]) { size++; }
    }
  }
  ties[g.y * P.blocks + g.x] = size;
}
