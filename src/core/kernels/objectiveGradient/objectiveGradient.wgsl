// out[p] = 2 metric[p] (total δ[p] − δ̄[p]) + Σ_j c[j] A[j, p] + budget q[p]: the gradient of
// L_geo + λ_align L_align + λ_bud L_bud. The host folds 2 λ_align Σ_i w_i c_i v_ij / √(n μ_i) into c and
// −2 λ_bud [τ − a]_+ into budget, with q = ∇a from the backward pass at θ_IT + δ (geometry/objective.ts).
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  var value = 2.0 * metric4(i, 0u, 4u) * (P.total * delta4(i, 0u, 4u) - center4(i, 0u, 4u));
  for (var j = 0u; j < P.rows; j++) { value += c[j] * rows4(j * P.stride, i, P.count); }
  value += P.budget * q4(i, 0u, 4u);
  put_out4(i, 0u, 4u, value);
}
