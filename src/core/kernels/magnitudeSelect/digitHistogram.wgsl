// histogram[selector, copy, digit] += how many of |model − base| (P.minusBase 0: |model|) have the selector's bits
// above the digit, P.bits bits from P.shift on. Copies spread threads that count the same digit.
// A thread owns every P.lanes-th four elements for one selector and adds runs of equal digits at once.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x >= P.lanes) { return; }
  let found = picks[(P.first + g.y) * 4u];
  let bins = 1u << P.bits;
  let row = (g.y * P.copies + g.x % P.copies) * bins;
  var held = 0u;
  var run = 0u;
  for (var i = g.x * 4u; i < P.count; i += P.lanes * 4u) {
    var value = model4(i, 0u, 4u);
    if (P.minusBase == 1u) { value -= base4(i, 0u, 4u); }
    let words = bitcast<vec4u>(value) & vec4u(0x7fffffffu);
    for (var lane = 0u; lane < min(4u, P.count - i); lane++) {
      let word = words[lane];
      if ((((word ^ found) >> P.shift) >> P.bits) != 0u) { continue; }
      let digit = (word >> P.shift) & (bins - 1u);
      if (digit != held) {
        atomicAdd(&histogram[row + held], run);
        run = 0u;
      }
      held = digit;
      run++;
    }
  }
  atomicAdd(&histogram[row + held], run);
}
