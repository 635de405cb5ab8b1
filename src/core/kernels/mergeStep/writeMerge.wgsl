// out[p] = base[p] + delta[p] − (Σ_j b[j] A[j, p]) / metric[p]: the closed form of methods.md §1.3, written in
// the checkpoint's own type. With P.rows 0 it is plain interpolation, bit for bit.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  var value = base4(i, 0u, 4u) + delta4(i, 0u, 4u);
  if (P.rows > 0u) {
    var shield = vec4f();
    for (var j = 0u; j < P.rows; j++) { shield += b[j] * rows4(j * P.stride, i, P.count); }
    value -= shield / metric4(i, 0u, 4u);
  }
  put_out4(i, 0u, 4u, value);
}
