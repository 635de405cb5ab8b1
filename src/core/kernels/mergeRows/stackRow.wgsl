// rows[offset + p] = model[p] − base[p] (P.minusBase 1) or model[p]: one row of the stack a method works on.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  var value = model4(i, 0u, 4u);
  if (P.minusBase == 1u) { value -= base4(i, 0u, 4u); }
  put_rows4(P.offset + i, 0u, 4u, value);
}
