// counts[copy, pattern] += elements of x, from P.offset on, with that pattern, a whole number below 2^P.bits stored as float. Copies
// spread threads that count the same one. A thread owns every P.lanes-th four elements and adds runs at once.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x >= P.lanes) { return; }
  let row = (g.x % P.copies) << P.bits;
  var held = 0u;
  var run = 0u;
  for (var i = g.x * 4u; i < P.count; i += P.lanes * 4u) {
    let patterns = vec4u(x4(P.offset + i, 0u, 4u));
    for (var lane = 0u; lane < min(4u, P.count - i); lane++) {
      if (patterns[lane] != held) {
        atomicAdd(&counts[row + held], run);
        run = 0u;
      }
      held = patterns[lane];
      run++;
    }
  }
  atomicAdd(&counts[row + held], run);
}
