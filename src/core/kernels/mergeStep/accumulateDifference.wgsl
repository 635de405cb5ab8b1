// sum[p] = (P.first ? 0 : sum[p]) + lambda (expert[p] − base[p]): one term of the barycentre δ̄ = Σ λ_k Δ_k.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let at = P.offset + i;
  var value = P.lambda * (expert4(i, 0u, 4u) - base4(i, 0u, 4u));
  if (P.first == 0u) { value += sum4(at, 0u, 4u); }
  put_sum4(at, 0u, 4u, value);
}
