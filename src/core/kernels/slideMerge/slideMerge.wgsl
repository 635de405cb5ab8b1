// out[p] = bar[p] + P.share direction[p], in the stored type: AlignMerge at another λ, δ̄ and direction at hand.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  put_out4(i, 0u, 4u, bar4(i, 0u, 4u) + P.share * direction4(i, 0u, 4u));
}
