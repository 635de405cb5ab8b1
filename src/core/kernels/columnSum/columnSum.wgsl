// out[z, c] = Σ over the segments of group z of (Σ_t x[t, c])^power: gradients of biases and norm gains,
// their per-sequence squares or (power 0) absolute values, and the second pass of two-pass sums. A thread owns
// four columns.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let c = g.x * 4u;
  let z = g.y;
  if (c >= P.C || z >= P.Z) { return; }
  var total = vec4f();
  let end = groups[z + 1u];
  for (var segment = groups[z]; segment < end; segment++) {
    var sum = vec4f();
    let stop = segments[segment + 1u];
    for (var t = segments[segment]; t < stop; t++) { sum += x4(P.xOffset + t * P.xStride, c, P.C); }
    if (P.power == 2u) { total += sum * sum; }
    else if (P.power == 0u) { total += abs(sum); }
    else { total += sum; }
  }
  let row = z * P.outStride + P.outOffset;
  if (P.accumulate == 1u) { total += out4(row, c, P.C); }
  put_out4(row, c, P.C, total);
}
