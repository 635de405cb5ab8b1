// out[p] = bar[p] + P.share direction[p], in the stored type: AlignMerge at another λ, δ̄ and direction at hand.
// A thread does 32 weights in a row: on software adapters starting a thread costs more than moving four.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = (g.x + g.y * groups.x * WG_X) * 32u;
  let end = min(P.count, first + 32u);
  for (var i = first; i < end; i += 4u) {
    put_out4(i, 0u, 4u, bar4(i, 0u, 4u) + P.share * direction4(i, 0u, 4u));
  }
}
