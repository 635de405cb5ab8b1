// out[m, n] = base[m, n] + P.scale Σ_s tau[s] u[m, s] v[s, n]: a matrix moved by U diag(τ) Vᵀ, V stored by rows of
// rank. A thread writes four columns of one row; base and out are different buffers, so a perturbation is never
// taken back by subtraction, it is left out of the next pass.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let n = g.x * 4u;
  let m = g.y;
  if (n >= P.N || m >= P.M) { return; }
  var sum = vec4f();
  for (var s = 0u; s < P.R; s++) { sum += tau[s] * u[m * P.R + s] * v4(s * P.N, n, P.N); }
  put_out4(m * P.N, n, P.N, base4(m * P.N, n, P.N) + P.scale * sum);
}
