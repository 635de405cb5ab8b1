// out[j, g] = Σ_{h in group g} Σ_t p[t, h, j] u[t, h] over the queries queryStart[j] ≤ t < queryEnd[j]:
// dv with u = dy; dk with ds for p and queries for u. A thread owns four dimensions of one (j, g) and walks
// the queries in order, so the sum has one order.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let width = (P.D + 3u) / 4u;
  let group = id.x / width;
  let d = (id.x % width) * 4u;
  let j = id.y;
  if (group * P.share >= P.H || j >= P.T) { return; }
  let end = queryEnd[j];
  var sum = vec4f();
  for (var t = queryStart[j]; t < end; t++) {
    let place = j - keyStart[t];
    for (var h = group * P.share; h < (group + 1u) * P.share; h++) {
      sum += p[(t * P.H + h) * P.maxKeys + place] * u4(P.uOffset + t * P.uStride + h * P.D, d, P.D);
    }
  }
  put_out4(P.outOffset + j * P.outStride + group * P.D, d, P.D, sum);
}
