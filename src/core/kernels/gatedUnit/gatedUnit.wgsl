// y[t, i] = gate σ(s(gate)) · up with gate = x[t, i], up = x[t, I + i] and σ(v) = 1 / (1 + e^-v).
// P.gelu 0: s(v) = v, which is silu. P.gelu 1: s(v) = √(8/π) (v + 0.044715 v³); as σ(2u) = (1 + tanh u) / 2 that is
// GELU by tanh, without the cancellation of 1 + tanh.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let i = g.x * 4u;
  let t = g.y;
  if (i >= P.I || t >= P.T) { return; }
  let row = t * 2u * P.I;
  let gate = x4(row, i, P.I);
  let up = x4(row + P.I, i, P.I);
  var s = gate;
  if (P.gelu == 1u) { s = 1.5957691216057308 * gate * (1.0 + 0.044715 * gate * gate); }
  put_y4(t * P.I, i, P.I, gate / (vec4f(1.0) + exp(-s)) * up);
}
